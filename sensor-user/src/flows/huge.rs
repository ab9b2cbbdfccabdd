//! Large pages for large tables: a table that is looked into at random misses the page tables' cache as often as
//! its own.

/// Tables smaller than this are better off with small pages.
const LEAST: usize = 4 << 20;
const PAGE: usize = 4 << 10;

/// Asks the kernel to back the whole of a vector with large pages, where it is large itself.
///
/// Only a hint: a kernel that has none, or is told to give none, goes on as before.
pub fn advise<T>(vector: &Vec<T>) {
    let bytes = vector.capacity() * size_of::<T>();
    if bytes < LEAST {
        return;
    }
    let start = vector.as_ptr().addr().next_multiple_of(PAGE);
    let end = (vector.as_ptr().addr() + bytes) & !(PAGE - 1);
    let first = vector.as_ptr().cast::<u8>().wrapping_add(start - vector.as_ptr().addr());
    // SAFETY: whole pages within an allocation that is borrowed; the advice changes no contents.
    unsafe { libc::madvise(first.cast_mut().cast(), end.saturating_sub(start), libc::MADV_HUGEPAGE) };
}
