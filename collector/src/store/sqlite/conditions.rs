//! Conditions on rows of the sums by day, as few comparisons as they come to.
//!
//! Numbers alone, so that they can be written into the statement. Each thing that is looked at, such as a port of TCP in
//! class `scan`, is looked at once, however many values it may have: 27 regions times 40 ports are two lists.

use std::collections::{BTreeMap, BTreeSet};

use super::address::region_number;
use super::kind;
use crate::store::{Match, RowFilter};

const REGION: i64 = 1023;

type Numbers = BTreeSet<i64>;

/// The conditions on days, and on what rows are.
pub fn of(filter: &RowFilter) -> String {
    let any = any(&filter.any);
    let any = if any.is_empty() { String::new() } else { format!(" AND ({any})") };
    format!("d.day >= {} AND d.day < {}{any}", filter.from.0, filter.to.0)
}

/// That a row matches one of these; empty where every row does.
fn any(wanted: &[Match]) -> String {
    // By the bits that are looked at: their values of any region, and those of each.
    let mut anywhere: BTreeMap<i64, Numbers> = BTreeMap::new();
    let mut by_region: BTreeMap<i64, BTreeMap<i64, Numbers>> = BTreeMap::new();
    for one in wanted {
        let (mask, value) = kind::bits(one);
        let values = match one.region {
            None => anywhere.entry(mask).or_default(),
            Some(region) => by_region.entry(mask).or_default().entry(region_number(region)).or_default(),
        };
        values.insert(value);
    }
    if anywhere.contains_key(&0) {
        return String::new();
    }
    let mut terms = Vec::new();
    for (mask, values) in &anywhere {
        terms.push(is_one_of(&format!("(d.kind & {mask})"), values));
    }
    for (mask, regions) in by_region {
        // Regions of which the same is asked, together.
        let mut alike: BTreeMap<Numbers, Numbers> = BTreeMap::new();
        for (region, mut values) in regions {
            if let Some(everywhere) = anywhere.get(&mask) {
                values.retain(|value| !everywhere.contains(value));
            }
            alike.entry(values).or_default().insert(region);
        }
        for (values, regions) in alike.into_iter().filter(|(values, _)| !values.is_empty()) {
            let regions = is_one_of(&format!("(d.place & {REGION})"), &regions);
            terms.push(match mask {
                0 => regions,
                mask => format!("({} AND {regions})", is_one_of(&format!("(d.kind & {mask})"), &values)),
            });
        }
    }
    terms.join(" OR ")
}

fn is_one_of(what: &str, numbers: &Numbers) -> String {
    let list: Vec<String> = numbers.iter().map(i64::to_string).collect();
    match list.as_slice() {
        [one] => format!("{what} = {one}"),
        list => format!("{what} IN ({})", list.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_ports_of_many_regions_are_two_lists() {
        let mut wanted = Vec::new();
        for region in 0..27_u8 {
            for port in 0..40 {
                let region = Some([b'A' + region / 26, b'A' + region % 26]);
                wanted.push(Match { protocol: Some(6), port: Some(port), region, ..Match::default() });
            }
        }
        let text = any(&wanted);
        assert!(!text.contains(" OR ") && text.matches(" IN ").count() == 2, "{text}");
        assert_eq!(any(&[wanted.clone(), wanted.clone()].concat()), text);
        // What is asked of any region needs not be asked of one.
        let port = Match { protocol: Some(6), port: Some(0), ..Match::default() };
        let more = any(&[wanted.clone(), vec![port.clone()]].concat());
        assert_eq!((more.matches(" OR ").count(), more.matches(", ").count()), (1, 26 + 38), "{more}");
        assert_eq!(any(&[port, Match::default()]), "");
        assert_eq!(any(&[]), "");
        let region = Match { region: Some(*b"JP"), ..Match::default() };
        assert_eq!(any(&[region.clone(), region]), format!("(d.place & 1023) = {}", region_number(*b"JP")));
    }
}
