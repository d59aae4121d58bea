class StaffModelPermissions: pass
