//! How the names of collectors become addresses.

/// Has names looked up in `/etc/hosts` and by the servers of `/etc/resolv.conf`, and in no other way, where this program
/// was linked statically.
///
/// The C library would otherwise load whatever `/etc/nsswitch.conf` names, and each such library wants the C library of
/// the host, which need not be the one that this program has within itself. What is in files and in the DNS needs none
/// since glibc 2.34. Where the program was linked dynamically, nothing changes.
///
/// To be called before the first name is looked up.
pub fn from_files_and_dns() {
    #[cfg(all(target_env = "gnu", target_feature = "crt-static"))]
    {
        // In <nss.h>, and so part of the C library's interface.
        unsafe extern "C" {
            fn __nss_configure_lookup(
                database: *const libc::c_char,
                services: *const libc::c_char,
            ) -> libc::c_int;
        }
        // SAFETY: two strings that live for ever, and no other thread yet. It fails for databases that there are not,
        // and this one is.
        let _known = unsafe { __nss_configure_lookup(c"hosts".as_ptr(), c"files dns".as_ptr()) };
    }
}
