//! Intervals that become one.

use super::*;

fn part(header: &Header) -> Bytes {
    counts(header, &some_counters()[..5]).unwrap().into()
}

fn following(header: &Header) -> Header {
    Header {
        first: header.last + 1,
        last: header.last + 1,
        start: header.end,
        end: header.end + 60,
        ..header.clone()
    }
}

#[test]
fn intervals_that_follow_each_other_become_one() {
    let first = header();
    let second = Header { ring_most_waiting: 99, watched_windows: vec![5656, 1024, 7], ..following(&first) };
    let third = Header { watched_windows: second.watched_windows.clone(), ..following(&second) };
    let merged = merge(&[part(&first), part(&second), part(&third)]).unwrap().unwrap();
    let batch = read(&merged).unwrap();
    let flows = first.flows.unwrap();
    let expected = Header {
        last: third.last,
        end: third.end,
        clock_step: 3 * first.clock_step,
        breaches: [&first.breaches[..]; 3].concat(),
        watched_windows: third.watched_windows,
        digests: Some(law::Digests::from_figures(first.digests.unwrap().figures().map(|figure| 3 * figure))),
        flows: Some(FlowsHeader {
            key: flows.key,
            rows: 3 * flows.rows,
            packets: 3 * flows.packets,
            overflow_rows: 3 * flows.overflow_rows,
            overflow_packets: 3 * flows.overflow_packets,
        }),
        ring_most_waiting: 99,
        ..first
    };
    assert_eq!(batch.header, expected);
    let tripled: Vec<Counter> = some_counters()[..5]
        .iter()
        .map(|counter| Counter { packets: 3 * counter.packets, ..*counter })
        .collect();
    assert_eq!(batch.counters, tripled);
}

#[test]
fn intervals_that_are_no_one_thing_stay_apart() {
    let first = header();
    let next = following(&first);
    let strangers = [
        Header { first: next.first + 1, last: next.last + 1, ..next.clone() },
        Header { epoch: next.epoch + 1, ..next.clone() },
        Header { sensor: "osaka-1".into(), ..next.clone() },
        Header { start: first.end - 1, ..next.clone() },
        Header { watched_windows: vec![1024, 5656], ..next.clone() },
        Header { signatures_version: 2, ..next.clone() },
        Header { observed_ipv4: 512, ..next.clone() },
        Header { digests: None, ..next.clone() },
        Header { flows: Some(FlowsHeader { key: FlowKey::FlowTuple, ..first.flows.unwrap() }), ..next },
    ];
    for stranger in strangers {
        assert_eq!(merge(&[part(&first), part(&stranger)]).unwrap(), None, "{stranger:?}");
    }
    assert_eq!(merge(&[]).unwrap(), None);
    assert!(merge(&[part(&first), Bytes::from_static(b"nothing")]).is_err());
}

/// However many are merged, and however often, what becomes of it can be read.
#[test]
fn words_about_broken_laws_have_an_end() {
    let words = |count: usize| (0..count).map(|number| format!("law {number}")).collect::<Vec<_>>();
    let first = Header { breaches: words(MOST_BREACHES), ..header() };
    let second = Header { breaches: words(5), ..following(&first) };
    let third = Header { breaches: words(2), ..following(&second) };
    let merged = merge(&[part(&first), part(&second)]).unwrap().unwrap();
    let said = read(&merged).unwrap().header.breaches;
    assert_eq!(said[..MOST_BREACHES - 1], first.breaches[..MOST_BREACHES - 1]);
    assert_eq!(said[MOST_BREACHES - 1..], ["and 6 more broken laws"]);
    let again = merge(&[merged, part(&third)]).unwrap().unwrap();
    let said = read(&again).unwrap().header.breaches;
    assert_eq!((said.len(), &*said[MOST_BREACHES - 1]), (MOST_BREACHES, "and 8 more broken laws"));
}
