//! The binary search against looking at every range in turn.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

const CASES: u32 = if cfg!(miri) { 2 } else { 64 };
/// Every edge of every range, or under Miri, which takes a thousand times as long, some of them.
const EDGE_STEP: usize = if cfg!(miri) { 211 } else { 1 };

fn config() -> ProptestConfig {
    let standard = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { standard.cases } else { CASES };
    ProptestConfig { cases, failure_persistence: None, ..standard }
}

/// Addresses as one number, to which both families come down.
trait Family: Copy + Ord {
    const LAST: u128;
    type Range: Copy;
    fn range(first: u128, last: u128) -> Self::Range;
    fn empty() -> Self::Range;
    fn search(ranges: &[Self::Range; OBSERVED_RANGES], count: u32, address: u128) -> bool;
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct V4;
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct V6;

const NO_IPV4: [Ipv4Range; OBSERVED_RANGES] = [Ipv4Range { first: u32::MAX, last: 0 }; OBSERVED_RANGES];
static NO_IPV6: [Ipv6Range; OBSERVED_RANGES] =
    [Ipv6Range { first: [u64::MAX; 2], last: [0; 2] }; OBSERVED_RANGES];

impl Family for V4 {
    const LAST: u128 = u32::MAX as u128;
    type Range = Ipv4Range;
    fn range(first: u128, last: u128) -> Ipv4Range {
        Ipv4Range { first: u32::try_from(first).unwrap(), last: u32::try_from(last).unwrap() }
    }
    fn empty() -> Ipv4Range {
        NO_IPV4[0]
    }
    fn search(ipv4: &[Ipv4Range; OBSERVED_RANGES], count: u32, address: u128) -> bool {
        let ranges = Ranges { ipv4, ipv4_count: count, ipv6: &NO_IPV6, ipv6_count: 0 };
        ranges.ipv4(u32::try_from(address).unwrap().to_be_bytes())
    }
}

impl Family for V6 {
    const LAST: u128 = u128::MAX;
    type Range = Ipv6Range;
    fn range(first: u128, last: u128) -> Ipv6Range {
        Ipv6Range { first: ipv6_halves(&first.to_be_bytes()), last: ipv6_halves(&last.to_be_bytes()) }
    }
    fn empty() -> Ipv6Range {
        NO_IPV6[0]
    }
    fn search(ipv6: &[Ipv6Range; OBSERVED_RANGES], count: u32, address: u128) -> bool {
        let ranges = Ranges { ipv4: &NO_IPV4, ipv4_count: 0, ipv6, ipv6_count: count };
        ranges.ipv6(&address.to_be_bytes())
    }
}

/// Sorted, disjoint ranges whose edges are the points given.
fn disjoint(mut points: Vec<u128>) -> Vec<[u128; 2]> {
    points.sort_unstable();
    points.dedup();
    points.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect()
}

/// The search and the naive check agree at `address`.
fn agree<F: Family>(ranges: &[[u128; 2]], table: &[F::Range; OBSERVED_RANGES], address: u128) {
    let naive = ranges.iter().any(|[first, last]| (*first..=*last).contains(&address));
    let count = u32::try_from(ranges.len()).unwrap();
    assert_eq!(F::search(table, count, address), naive, "address {address:#x} in {} ranges", ranges.len());
}

/// At every edge, beside every edge, and at both ends of the address space.
fn agree_at_edges<F: Family>(ranges: &[[u128; 2]]) -> Box<[F::Range; OBSERVED_RANGES]> {
    let mut table = Box::new([F::empty(); OBSERVED_RANGES]);
    table.iter_mut().zip(ranges).for_each(|(entry, [first, last])| *entry = F::range(*first, *last));
    for edge in ranges.iter().flatten().copied().step_by(EDGE_STEP).chain([0, F::LAST]) {
        for address in [edge.saturating_sub(1), edge, edge.saturating_add(1).min(F::LAST)] {
            agree::<F>(ranges, &table, address);
        }
    }
    table
}

/// So many ranges of one shape, spread from end to end of the address space.
fn spread<F: Family>(count: u128) -> Vec<[u128; 2]> {
    let stride = F::LAST / count.max(1);
    (0..count).map(|index| [index * stride, index * stride + stride / 2]).collect()
}

fn sizes_at_the_limits<F: Family>() {
    let sizes: &[u128] = if cfg!(miri) { &[1, 1024] } else { &[0, 1, 2, 3, 511, 512, 513, 1023, 1024] };
    for size in sizes {
        agree_at_edges::<F>(&spread::<F>(*size));
    }
}

#[test]
fn any_number_of_ranges_is_searched_to_its_ends() {
    sizes_at_the_limits::<V4>();
    sizes_at_the_limits::<V6>();
}

fn ends_of_the_address_space<F: Family>() {
    agree_at_edges::<F>(&[[0, 0]]);
    agree_at_edges::<F>(&[[F::LAST, F::LAST]]);
    agree_at_edges::<F>(&[[0, 0], [F::LAST, F::LAST]]);
    agree_at_edges::<F>(&[[0, F::LAST]]);
    agree_at_edges::<F>(&[[0, F::LAST - 1]]);
    agree_at_edges::<F>(&[[1, F::LAST]]);
}

#[test]
fn the_ends_of_the_address_space_can_be_observed() {
    ends_of_the_address_space::<V4>();
    ends_of_the_address_space::<V6>();
}

#[test]
fn no_range_observes_nothing_not_even_the_values_of_an_empty_one() {
    agree_at_edges::<V4>(&[]);
    agree_at_edges::<V6>(&[]);
}

/// A count beyond the table cannot come from our agent; it must not read beyond it all the same.
#[test]
fn a_count_beyond_the_table_stays_within_it() {
    let ranges = spread::<V4>(1024);
    let table = agree_at_edges::<V4>(&ranges);
    for [first, last] in ranges.into_iter().step_by(EDGE_STEP) {
        assert!(V4::search(&table, u32::MAX, first));
        assert!(V4::search(&table, u32::MAX, last));
    }
}

#[test]
fn halves_of_an_ipv6_address_compare_as_the_address_does() {
    let numbers = [0, 1, u128::from(u64::MAX), 1 << 64, 0x2001_0db8 << 96, u128::MAX];
    for (left, right) in numbers.iter().flat_map(|left| numbers.iter().map(move |right| (left, right))) {
        let halves = |number: &u128| ipv6_halves(&number.to_be_bytes());
        assert_eq!(halves(left).cmp(&halves(right)), left.cmp(right));
    }
}

/// How many ranges: anything, and more often what a binary search gets wrong.
fn points(last: u128) -> impl Strategy<Value = Vec<u128>> {
    let point = prop_oneof![8 => 0..=last, 1 => Just(0), 1 => Just(last)];
    let most = if cfg!(miri) { 64 } else { 2 * OBSERVED_RANGES };
    prop_oneof![proptest::collection::vec(point.clone(), 0..8), proptest::collection::vec(point, 0..=most),]
}

fn search_is_naive<F: Family>(points: Vec<u128>, addresses: &[u128], between: &[Index]) {
    let ranges = disjoint(points);
    let table = agree_at_edges::<F>(&ranges);
    for address in addresses {
        agree::<F>(&ranges, &table, *address & F::LAST);
    }
    for index in between.iter().filter(|_| !ranges.is_empty()) {
        let [first, last] = *index.get(&ranges);
        agree::<F>(&ranges, &table, first + (last - first) / 2);
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn ipv4_search_is_the_naive_check(
        points in points(V4::LAST), addresses: [u128; 16], between: [Index; 16],
    ) {
        search_is_naive::<V4>(points, &addresses, &between);
    }

    #[test]
    fn ipv6_search_is_the_naive_check(
        points in points(V6::LAST), addresses: [u128; 16], between: [Index; 16],
    ) {
        search_is_naive::<V6>(points, &addresses, &between);
    }
}
