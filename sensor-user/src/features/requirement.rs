//! What the sensor cannot do without.

use std::fmt;
use std::io;

use sensor_ebpf::abi::CpuCounters;

use crate::system::{can_link_xdp, try_mappable_array};

/// A feature of the kernel, and since when Linux has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement {
    pub name: &'static str,
    pub since: &'static str,
}

/// Arrays that user space maps into its memory.
pub const ARRAYS: Requirement = Requirement { name: "mappable arrays", since: "5.5" };
/// Of values as large as one CPU's counters.
pub const LARGE_VALUES: Requirement = Requirement { name: "large array values", since: "5.5" };
/// Attachments that can be pinned, and outlive the agent.
pub const LINKS: Requirement = Requirement { name: "XDP links", since: "5.9" };

/// The oldest release on which all of it has been seen to work.
pub const OLDEST_RELEASE: &str = "5.10";

/// What this kernel lacks: one thing at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing(Vec<Requirement>);

impl Missing {
    /// Asks the kernel for each. What it gives no clear answer to is left to whoever needs it, who has the error.
    #[must_use]
    pub fn probe() -> Option<Self> {
        let has_arrays = has_array(size_of::<u64>());
        let answers = [
            (ARRAYS, has_arrays),
            // Where there are none, the size of their values is no lack of its own.
            (LARGE_VALUES, !has_arrays || has_array(size_of::<CpuCounters>())),
            (LINKS, can_link_xdp().unwrap_or(true)),
        ];
        let missing: Vec<_> =
            answers.into_iter().filter(|(_, is_there)| !is_there).map(|(what, _)| what).collect();
        (!missing.is_empty()).then_some(Self(missing))
    }
}

fn has_array(value_size: usize) -> bool {
    !try_mappable_array(value_size).is_err_and(|error| is_unknown(&error))
}

/// What the kernel says of a flag that it does not know, and of a value that is too large for it.
#[must_use]
pub fn is_unknown(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EINVAL | libc::E2BIG))
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, Requirement { name, since }) in self.0.iter().enumerate() {
            let separator = if place == 0 { "" } else { ", " };
            write!(formatter, "{separator}no {name} (Linux {since})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_release() {
        let missing = Missing(vec![ARRAYS, LINKS]);
        assert_eq!(missing.to_string(), "no mappable arrays (Linux 5.5), no XDP links (Linux 5.9)");
    }

    #[test]
    fn only_the_kernels_own_words_count_as_missing() {
        for number in [libc::EINVAL, libc::E2BIG] {
            assert!(is_unknown(&io::Error::from_raw_os_error(number)));
        }
        for number in [libc::EPERM, libc::ENOMEM] {
            assert!(!is_unknown(&io::Error::from_raw_os_error(number)));
        }
    }
}
