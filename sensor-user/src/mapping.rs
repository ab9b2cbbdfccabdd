//! Arrays of the kernel program, mapped into this process (`BPF_F_MMAPABLE`, Linux 5.5).

use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};

use aya::maps::{Map, MapData};
use memmap2::{MmapOptions, MmapRaw};

/// Why a map could not be mapped.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// The object, or the pinned set, has no such map.
    #[error("the XDP program has no map {name}; it was built for another version of this agent")]
    Absent { name: &'static str },
    /// A map of another shape.
    #[error("map {name} has values of {found} bytes, {expected} expected; detach, then run again")]
    Layout { name: &'static str, found: u32, expected: usize },
    /// A map with fewer entries than the control record says.
    #[error("map {name} has {found} entries, at least {expected} expected; detach, then run again")]
    TooFew { name: &'static str, found: u32, expected: u32 },
    /// The kernel refused.
    #[error("cannot map {name} into memory: {source}")]
    Refused { name: &'static str, source: io::Error },
    /// The kernel does not tell about the map.
    #[error("cannot read what map {name} is: {source}")]
    Unknown { name: &'static str, source: aya::maps::MapError },
}

/// A `BPF_MAP_TYPE_ARRAY` of `T`, shared with the kernel.
///
/// The kernel and other processes write to it at any time: only pointers leave this type, and readers
/// use atomic loads.
pub struct MappedArray<T> {
    memory: MmapRaw,
    entries: u32,
    value: PhantomData<*mut T>,
}

// SAFETY: only raw pointers into shared memory leave it, which every user reads atomically.
unsafe impl<T> Send for MappedArray<T> {}

impl<T> MappedArray<T> {
    /// Bytes from one entry to the next: the kernel rounds values up to eight.
    pub const STRIDE: usize = size_of::<T>().next_multiple_of(8);

    /// Maps the whole of the array.
    ///
    /// # Errors
    /// Where the map has another layout than `T`, or the kernel refuses.
    pub fn new(name: &'static str, map: &MapData) -> Result<Self, MappingError> {
        let information = map.info().map_err(|source| MappingError::Unknown { name, source })?;
        let (found, entries) = (information.value_size(), information.max_entries());
        if found as usize != size_of::<T>() {
            return Err(MappingError::Layout { name, found, expected: size_of::<T>() });
        }
        Self::from_fd(map.fd().as_fd(), entries).map_err(|source| MappingError::Refused { name, source })
    }

    /// Maps the first entry of an array whose values only begin with a `T`: for what keeps its place
    /// whatever the layout of the rest.
    ///
    /// # Errors
    /// Where the map's values are shorter than `T`, or the kernel refuses.
    pub fn prefix_of(name: &'static str, map: &MapData) -> Result<Self, MappingError> {
        let information = map.info().map_err(|source| MappingError::Unknown { name, source })?;
        let found = information.value_size();
        if (found as usize) < size_of::<T>() {
            return Err(MappingError::Layout { name, found, expected: size_of::<T>() });
        }
        Self::from_fd(map.fd().as_fd(), 1).map_err(|source| MappingError::Refused { name, source })
    }

    /// Maps the array `name` of a loaded object.
    ///
    /// # Errors
    /// As [`MappedArray::new`], and where there is no such array.
    pub fn of(name: &'static str, ebpf: &aya::Ebpf) -> Result<Self, MappingError> {
        match ebpf.map(name) {
            Some(Map::Array(data)) => Self::new(name, data),
            _ => Err(MappingError::Absent { name }),
        }
    }

    /// An array of zeros in this process's memory alone, with no kernel behind it: what tests and benches use.
    ///
    /// # Errors
    /// Where there is no memory.
    pub fn in_process(entries: u32) -> io::Result<Self> {
        let memory = MmapOptions::new().len(Self::STRIDE * entries as usize).map_anon()?;
        Ok(Self { memory: memory.into(), entries, value: PhantomData })
    }

    fn from_fd(fd: BorrowedFd<'_>, entries: u32) -> io::Result<Self> {
        let memory = MmapOptions::new().len(Self::STRIDE * entries as usize).map_raw(fd.as_raw_fd())?;
        Ok(Self { memory, entries, value: PhantomData })
    }

    /// Entries in the array.
    #[must_use]
    pub const fn entries(&self) -> u32 {
        self.entries
    }

    /// The entry at `index`, live for as long as this mapping is.
    ///
    /// # Panics
    /// Where there is no such entry.
    #[must_use]
    pub fn entry(&self, index: u32) -> *mut T {
        assert!(index < self.entries, "entry {index} of {}", self.entries);
        // Within the mapping, which is `STRIDE * entries` bytes long and page-aligned.
        self.memory.as_mut_ptr().wrapping_add(Self::STRIDE * index as usize).cast()
    }
}
