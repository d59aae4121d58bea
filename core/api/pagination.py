class KeysetPagination: pass
