class UserOrAddressThrottle: pass
