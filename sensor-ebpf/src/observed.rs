//! Which destinations are observed.

use crate::abi::{Ipv4Range, Ipv6Range, OBSERVED_RANGES};

/// Says whether a destination is observed. Addresses are as they stand on the wire.
pub trait Observe {
    fn ipv4(&self, destination: [u8; 4]) -> bool;
    fn ipv6(&self, destination: &[u8; 16]) -> bool;
}

/// No prefixes configured: every destination is observed.
pub struct Everything;

impl Observe for Everything {
    #[inline(always)]
    fn ipv4(&self, _destination: [u8; 4]) -> bool {
        true
    }
    #[inline(always)]
    fn ipv6(&self, _destination: &[u8; 16]) -> bool {
        true
    }
}

/// The configured ranges, sorted and disjoint, of which the first `count` are used.
pub struct Ranges<'a, const N: usize = OBSERVED_RANGES> {
    pub ipv4: &'a [Ipv4Range; N],
    pub ipv4_count: u32,
    pub ipv6: &'a [Ipv6Range; N],
    pub ipv6_count: u32,
}

impl<const N: usize> Observe for Ranges<'_, N> {
    #[inline(always)]
    fn ipv4(&self, destination: [u8; 4]) -> bool {
        let address = u32::from_be_bytes(destination);
        let range = last_before(self.ipv4, self.ipv4_count, |range, half| {
            half & ones_where_at_or_before(range.first, address)
        });
        // A range that is not used is empty: `first` above `last`.
        range.first <= address && address <= range.last
    }

    #[inline(always)]
    fn ipv6(&self, destination: &[u8; 16]) -> bool {
        let address = ipv6_halves(destination);
        let range = last_before(
            self.ipv6,
            self.ipv6_count,
            |range, half| if range.first <= address { half } else { 0 },
        );
        range.first <= address && address <= range.last
    }
}

/// An IPv6 address as two halves in host order, which compare as the address does.
#[inline(always)]
#[must_use]
pub fn ipv6_halves(address: &[u8; 16]) -> [u64; 2] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *address;
    [u64::from_be_bytes([a, b, c, d, e, f, g, h]), u64::from_be_bytes([i, j, k, l, m, n, o, p])]
}

/// All bits set where `first` is at or before `address`, else none: by arithmetic, for BPF compares by jumping alone, and
/// no predictor foresees where the search for a scanner's next target goes.
#[inline(always)]
fn ones_where_at_or_before(first: u32, address: u32) -> usize {
    let difference = i64::from(first) - i64::from(address) - 1;
    // LLVM would make a jump of a plain shift.
    #[cfg(target_arch = "bpf")]
    let sign = {
        let mut sign = difference;
        // SAFETY: one arithmetic instruction on a register.
        unsafe { core::arch::asm!("{0} s>>= 63", inout(reg) sign, options(pure, nomem, nostack)) };
        sign
    };
    #[cfg(not(target_arch = "bpf"))]
    let sign = difference >> 63;
    sign as usize
}

/// The last of the first `count` ranges that starts at or before an address, or the first of all. Of a range in the middle
/// and the half that lies behind it, `step` gives the half where that range does, else 0.
///
/// A binary search whose number of steps depends on `count` alone, so that the verifier, which knows
/// `count` from `.rodata`, sees a loop without surprises.
#[inline(always)]
fn last_before<T, const N: usize>(ranges: &[T; N], count: u32, step: impl Fn(&T, usize) -> usize) -> &T {
    const { assert!(N.is_power_of_two()) };
    let mut base = 0_usize;
    let mut length = if count as usize > N { N } else { count as usize };
    while length > 1 {
        let half = length / 2;
        base += step(element(ranges, (base + half) & (N - 1)), half);
        length -= half;
    }
    element(ranges, base & (N - 1))
}

#[inline(always)]
fn element<T, const N: usize>(ranges: &[T; N], index: usize) -> &T {
    debug_assert!(index < N);
    // SAFETY: every caller masks the index to below N; indexing would keep a panic path,
    // which a BPF program cannot have.
    unsafe { &*ranges.as_ptr().add(index) }
}

#[cfg(test)]
mod tests;
