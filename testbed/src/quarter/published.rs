//! Tables 1 and 2: what was published, and how a plan's packets rank.

use std::collections::BTreeMap;

use crate::description::{Class, PublishedPort, PublishedRegion, Service};
use crate::difference::{Checked, Difference};
use crate::plan::{Packet, Plan};

/// Ranks that are told; whatever is further down is 'below 10'.
pub const LOWEST: u32 = 10;
/// By how much a rank has to be ahead of the next one so that nothing but a mistake changes it.
const AHEAD: f64 = 1.01;

/// A rank, or that it is below the tenth.
pub fn words(rank: Option<u32>) -> String {
    rank.map_or_else(|| format!("below {LOWEST}"), |rank| rank.to_string())
}

/// Whether the plan's packets come to the published tables; a description of which they do not is of no use.
pub fn check_plan(plan: &Plan) -> Checked {
    let published = &plan.description.published;
    let mut checked = Checked::default();
    let port = |packet: &Packet| is_scan(plan, packet).then_some(packet.port);
    let ports: Vec<(Service, Option<u32>)> = published
        .ports
        .get_ref()
        .iter()
        .map(|PublishedPort { port, previous, .. }| (*port, *previous))
        .collect();
    check_ranks(&mut checked, "port", plan, &ports, port);
    let region = |packet: &Packet| is_scan(plan, packet).then(|| text(packet.region));
    let regions: Vec<(String, Option<u32>)> = published
        .regions
        .get_ref()
        .iter()
        .map(|PublishedRegion { region, previous }| (region.clone(), *previous))
        .collect();
    check_ranks(&mut checked, "region", plan, &regions, region);
    checked
}

pub fn is_scan(plan: &Plan, packet: &Packet) -> bool {
    plan.stream(packet).class == Class::Scan
}

/// A region's code as text.
pub fn text(region: [u8; 2]) -> String {
    String::from_utf8_lossy(&region).into_owned()
}

fn check_ranks<K: Ord + Clone + ToString>(
    checked: &mut Checked,
    kind: &str,
    plan: &Plan,
    published: &[(K, Option<u32>)],
    key: impl Fn(&Packet) -> Option<K>,
) {
    let now = Ranking::new(plan.count(|packet| key(packet).filter(|_| plan.is_now(packet))));
    let before = Ranking::new(plan.count(|packet| key(packet).filter(|_| !plan.is_now(packet))));
    for (rank, (of, previous)) in (1..).zip(published) {
        let name = of.to_string();
        checked.equal(format!("{kind} {name} described, rank"), &words(Some(rank)), &words(now.rank(of)));
        let expected = words(*previous);
        checked.equal(format!("{kind} {name} described, previous rank"), &expected, &words(before.rank(of)));
        for (ranking, quarter) in [(&now, "this"), (&before, "the previous")] {
            let close = ranking.neighbour_too_near(of);
            checked.that(close.is_none(), || {
                let what = format!("{kind} {name} described, packets in {quarter} quarter");
                Difference::new(what, "1 % away from the next rank's", close.unwrap_or_default())
            });
        }
    }
}

/// Keys by their packets, most first.
struct Ranking<K>(Vec<(K, u64)>);

impl<K: Ord> Ranking<K> {
    fn new(counts: BTreeMap<K, u64>) -> Self {
        let mut ranking: Vec<(K, u64)> = counts.into_iter().collect();
        ranking.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Self(ranking)
    }

    fn place(&self, key: &K) -> Option<usize> {
        self.0.iter().position(|(of, _)| of == key)
    }

    fn rank(&self, key: &K) -> Option<u32> {
        let rank = u32::try_from(self.place(key)? + 1).ok()?;
        (rank <= LOWEST).then_some(rank)
    }

    /// The packets of a key's neighbour, where there is so little between the two that the order is an accident. Far
    /// below the tenth it does not matter.
    fn neighbour_too_near(&self, key: &K) -> Option<String> {
        let place = self.place(key).filter(|place| *place <= LOWEST as usize)?;
        let above = place.checked_sub(1).map(|above| (above, place));
        above.into_iter().chain([(place, place + 1)]).find_map(|(ahead, behind)| {
            let (ahead, behind) = (self.0.get(ahead)?.1, self.0.get(behind)?.1);
            ((ahead as f64) < behind as f64 * AHEAD).then(|| format!("{ahead} and {behind}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranking(of: &[(&'static str, u64)]) -> Ranking<&'static str> {
        Ranking::new(of.iter().copied().collect())
    }

    #[test]
    fn ranks_follow_from_packets() {
        let ranking = ranking(&[("a", 5), ("b", 100), ("c", 50)]);
        assert_eq!([ranking.rank(&"b"), ranking.rank(&"c"), ranking.rank(&"a")], [Some(1), Some(2), Some(3)]);
        assert_eq!(ranking.rank(&"d"), None);
    }

    #[test]
    fn the_eleventh_is_below_ten() {
        let many: BTreeMap<u64, u64> = (1..=11).map(|number| (number, 1000 - number)).collect();
        assert_eq!(Ranking::new(many.clone()).rank(&10), Some(10));
        assert_eq!(Ranking::new(many).rank(&11), None);
    }

    #[test]
    fn a_near_tie_is_noticed() {
        let ranking = ranking(&[("a", 1000), ("b", 999), ("c", 500)]);
        assert!(ranking.neighbour_too_near(&"b").is_some());
        assert!(ranking.neighbour_too_near(&"c").is_none());
    }
}
