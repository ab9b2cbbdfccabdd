//! Sums by day of UTC.

use super::{Open, Sample, breaches, commit, flow};
use crate::store::{Day, NANOSECONDS_OF_DAY, Period, PortKey, RollupFilter, SourceKey};

const MINUTE: u64 = 60_000_000_000;

fn by_day(reader: &dyn crate::store::Reader) -> Vec<(String, u64)> {
    let sums = reader.port_sums(&RollupFilter::of(Period::ALL), &[PortKey::Day], 100).unwrap();
    let mut days: Vec<_> = sums.iter().map(|sum| (sum.day.unwrap().to_string(), sum.packets)).collect();
    days.sort();
    days
}

pub fn a_row_counts_on_the_day_it_was_seen(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let midnight = "2026-03-01".parse::<Day>().unwrap().start();
    let start = midnight - MINUTE / 2;
    let spanning = Sample::new("tokyo", 1, start).with([
        flow("192.0.2.1", 6, 23, 1, midnight - 1),
        flow("192.0.2.1", 6, 23, 2, midnight),
        // What a clock says that was set meanwhile counts within the interval.
        flow("192.0.2.2", 6, 23, 4, midnight - 3 * NANOSECONDS_OF_DAY),
        flow("192.0.2.3", 6, 23, 8, midnight + 3 * NANOSECONDS_OF_DAY),
    ]);
    commit(&mut *store, &spanning);
    // It ends as the day does, and is the day's.
    commit(
        &mut *store,
        &Sample::new("osaka", 1, midnight - MINUTE).with([flow("192.0.2.1", 6, 23, 16, midnight)]),
    );
    let reader = store.reader().unwrap();
    assert_eq!(by_day(&*reader), [("2026-02-28".into(), 1 + 4 + 16), ("2026-03-01".into(), 2 + 8)]);
    let filter = RollupFilter { source: Some("192.0.2.1".parse().unwrap()), ..RollupFilter::of(Period::ALL) };
    let sums = reader.source_sums(&filter, &[SourceKey::Day], 10).unwrap();
    let sensors: Vec<_> = sums.iter().map(|sum| (sum.packets, sum.sensors, sum.sources)).collect();
    assert_eq!(sensors, [(17, 2, 1), (2, 1, 1)]);
    let uptime: Vec<_> = reader
        .uptime(None, Period::ALL)
        .unwrap()
        .into_iter()
        .map(|up| (up.day.to_string(), up.sensor, up.nanoseconds))
        .collect();
    let expected = [
        ("2026-02-28".to_owned(), "osaka".to_owned(), MINUTE),
        ("2026-02-28".into(), "tokyo".into(), MINUTE / 2),
        ("2026-03-01".into(), "tokyo".into(), MINUTE / 2),
    ];
    assert_eq!(uptime, expected);
    assert_eq!(breaches(&*reader), [""; 0]);
}

pub fn days_end_at_midnight_in_leap_years_too(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let february = "2024-02-28".parse::<Day>().unwrap().start();
    // Four days as one interval, as merged ones may be.
    let long = Sample {
        end: february + 3 * NANOSECONDS_OF_DAY + 1,
        ..Sample::new("tokyo", 1, february)
            .with((0..4).map(|day| flow("192.0.2.1", 17, 123, 1 + day, february + day * NANOSECONDS_OF_DAY)))
    };
    commit(&mut *store, &long);
    let reader = store.reader().unwrap();
    let days = ["2024-02-28", "2024-02-29", "2024-03-01", "2024-03-02"];
    let expected: Vec<_> = days.iter().zip(1..).map(|(day, packets)| ((*day).to_owned(), packets)).collect();
    assert_eq!(by_day(&*reader), expected);
    let up: u64 = reader.uptime(None, Period::ALL).unwrap().iter().map(|up| up.nanoseconds).sum();
    assert_eq!(up, 3 * NANOSECONDS_OF_DAY + 1);
    assert_eq!(breaches(&*reader), [""; 0]);
}

pub fn no_packets_is_not_no_sensor(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let day = "2026-01-02".parse::<Day>().unwrap();
    commit(&mut *store, &Sample::new("quiet", 1, day.start()));
    let reader = store.reader().unwrap();
    assert!(by_day(&*reader).is_empty());
    let uptime = |day: Day| reader.uptime(Some("quiet"), Period::days(day, Day(day.0 + 1))).unwrap();
    assert_eq!(uptime(day).len(), 1);
    assert_eq!(uptime(Day(day.0 + 1)).len(), 0);
}

/// Packets by day and hour, and seconds of up-time.
fn by_hour(reader: &mut dyn crate::store::Reader) -> [Vec<String>; 2] {
    let mut ask = |sql: &str| -> Vec<String> {
        let answer = reader.query(sql, 100, std::time::Duration::from_secs(60)).unwrap();
        let words = |row: &Vec<crate::store::Value>| {
            row.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        answer.rows.iter().map(words).collect()
    };
    [
        ask(
            "SELECT day, hour, sensor, sum(packets), sum(bytes) FROM port_hour GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        ),
        ask("SELECT day, hour, sensor, seconds FROM uptime_hour ORDER BY day, hour, sensor"),
    ]
}

pub fn hours_are_of_the_newest_days_alone(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let day = "2026-03-20".parse::<Day>().unwrap();
    // Half an hour on each side of midnight, as one interval.
    let midnight = day.start();
    let spanning = Sample { end: midnight + 30 * MINUTE, ..Sample::new("tokyo", 1, midnight - 30 * MINUTE) };
    commit(
        &mut *store,
        &spanning.with([
            flow("192.0.2.1", 6, 23, 1, midnight - 1_000_000),
            flow("192.0.2.1", 6, 23, 2, midnight),
            flow("192.0.2.2", 17, 53, 4, midnight + 29 * MINUTE),
        ]),
    );
    commit(&mut *store, &Sample::new("osaka", 1, midnight).with([flow("192.0.2.3", 6, 22, 8, midnight)]));
    // Long before the first one arrived.
    let old = Sample::new("tokyo", 2, midnight - 30 * NANOSECONDS_OF_DAY);
    commit(&mut *store, &old.clone().with([flow("192.0.2.4", 6, 22, 16, old.start)]));
    let mut reader = store.reader().unwrap();
    let [packets, uptime] = by_hour(&mut *reader);
    let expected = ["2026-03-19 23 tokyo 1 60", "2026-03-20 0 osaka 8 480", "2026-03-20 0 tokyo 6 360"];
    assert_eq!(packets, expected);
    assert_eq!(uptime, ["2026-03-19 23 tokyo 1800", "2026-03-20 0 osaka 60", "2026-03-20 0 tokyo 1800"]);
    assert_eq!(by_day(&*reader).len(), 3);
    assert_eq!(breaches(&*reader), [""; 0]);
    // What goes, goes by whole days, and what comes later of those days does not come back.
    let retention =
        crate::retention::Retention { hour_days: Some(0), ..crate::retention::Retention::FOREVER };
    while !store.retain(&retention, day, 1).unwrap().done {
        assert_eq!(breaches(&*reader), [""; 0]);
    }
    let late = Sample::new("osaka", 2, midnight - 5 * MINUTE);
    commit(&mut *store, &late.clone().with([flow("192.0.2.5", 6, 22, 32, late.start)]));
    let [packets, uptime] = by_hour(&mut *reader);
    assert_eq!((packets.as_slice(), uptime.len()), (&expected.map(str::to_owned)[1..], 2));
    assert_eq!(breaches(&*reader), [""; 0]);
}

/// Sources that differ in all that a question tells apart, on days that each has some of them.
fn motley(day: Day) -> Vec<Sample> {
    let sample = |number: u64| {
        let start = day.start() + number * 7 * 60 * MINUTE;
        let rows = (0..40_u64).filter(|row| !(row + number).is_multiple_of(3)).map(|row| {
            let source = match row % 5 {
                0 => format!("2001:db8::{row:x}"),
                1 => format!("203.0.113.{row}"),
                _ => format!("9.0.0.{row}"),
            };
            let protocol = if row % 4 == 0 { 17 } else { 6 };
            let plain =
                flow(&source, protocol, 20 + ((row + number) % 6) as u16, row / 4 + 1, start + row * MINUTE);
            let signatures = if protocol == 6 { (row + number).is_multiple_of(5).into() } else { 0 };
            wire::Row { signatures, ..plain }
        });
        Sample { lost: number % 2 * 9, ..Sample::new("tokyo", number + 1, start).with(rows) }
    };
    (0..9)
        .map(|number| Sample {
            with_flows: number != 4,
            end: sample(number).start + 60 * MINUTE,
            ..sample(number)
        })
        .collect()
}

pub fn sources_are_told_apart_as_their_sql_does(open: Open) {
    use crate::store::{Hour, Question, Slice, Span, Value};
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let day = "2026-03-20".parse::<Day>().unwrap();
    for sample in motley(day) {
        assert_eq!(commit(&mut *store, &sample), crate::store::Outcome::Stored);
    }
    let mut reader = store.reader().unwrap();
    let minute = std::time::Duration::from_secs(60);
    let hour = |hour: u32| Hour(day.0 * 24 + hour);
    let mut most = 0;
    for span in [
        Span::Days(day.before(5), Day(day.0 + 9)),
        Span::Days(day, day),
        Span::Hours(hour(9), hour(32)),
        Span::Hours(hour(0), hour(0)),
    ] {
        let all = Slice { span, sensor: None, service: None, region: None, class: None, signatures: None };
        let mut slices = vec![all.clone()];
        for service in ["tcp-23", "udp-22", "icmp-type8", "ip6"] {
            slices.push(Slice { service: service.parse().ok(), ..all.clone() });
        }
        for signatures in ["", "mirai", "mirai+zmap", "zmap+mirai", "another"] {
            slices.push(Slice { signatures: Some(signatures.into()), ..all.clone() });
        }
        for region in [*b"ZZ", *b"NL", *b"??"] {
            slices.push(Slice { region: Some(region), ..all.clone() });
        }
        for class in sensor_ebpf::abi::TrafficClass::ALL {
            slices.push(Slice { class: Some(class), ..all.clone() });
        }
        for slice in slices {
            let questions = [
                Question::SourceCount(slice.clone()),
                Question::SourcesByDay(slice.clone()),
                Question::TopSources { slice: slice.clone(), most: 7 },
                Question::TopSources { slice: slice.clone(), most: 0 },
                Question::TopSources { slice: slice.clone(), most: 1_000 },
            ];
            for question in questions {
                let sql = reader.sql_of(&question);
                let answer = reader.answer(&question, minute).unwrap();
                assert_eq!(answer, reader.query(&sql, 10_000, minute).unwrap(), "{sql}");
                most = most.max(answer.rows.len());
            }
        }
        for question in [Question::BesideFlows { span, sensor: None }, Question::HoursFrom] {
            let sql = reader.sql_of(&question);
            let answer = reader.answer(&question, minute).unwrap();
            assert_eq!(answer, reader.query(&sql, 10_000, minute).unwrap(), "{sql}");
            assert!(!answer.rows.is_empty(), "{sql}");
        }
    }
    assert_eq!(most, 40);
    // Of one source, the signatures of all of its packets.
    let span = Span::Days(day, Day(day.0 + 9));
    let all = Slice { span, sensor: None, service: None, region: None, class: None, signatures: None };
    let answer = reader.answer(&Question::TopSources { slice: all.clone(), most: 50 }, minute).unwrap();
    assert!(answer.rows.iter().any(|row| row[6] == Value::Text("mirai".into())), "{answer:?}");
    // Of the interval of that hour, no flow came.
    let span = Span::Hours(hour(28), hour(28));
    let beside = reader.answer(&Question::BesideFlows { span, sensor: None }, minute).unwrap();
    let [row] = beside.rows.as_slice() else { panic!("{beside:?}") };
    assert!(row[3] == row[4] && row[3] != Value::Integer(0), "{beside:?}");
}

pub fn questions_about_slices_have_the_answers_of_their_sql(open: Open) {
    use crate::store::{Facet, FacetValue, Hour, Question, Slice, Span};
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let day = "2026-03-20".parse::<Day>().unwrap();
    let name = "it's \"a\" sensor; --";
    for (sequence, hour) in (1..).zip([1, 5, 22, 26]) {
        let start = day.start() + hour * 60 * MINUTE;
        let rows = [
            flow("192.0.2.1", 6, 23, sequence, start),
            flow("192.0.2.2", 6, 23, 2, start),
            flow("2001:db8::1", 17, 53, 4, start),
        ];
        commit(&mut *store, &Sample::new(name, sequence, start).with(rows));
    }
    let mut reader = store.reader().unwrap();
    let minute = std::time::Duration::from_secs(60);
    let hour = |hour: u32| Hour(day.0 * 24 + hour);
    let service: crate::store::Service = "tcp-23".parse().unwrap();
    for (span, packets) in [
        (Span::Days(day, Day(day.0 + 1)), 1 + 2 + 3 + 4 + 8),
        (Span::Days(day, day), 1 + 2 + 3 + 6),
        (Span::Hours(hour(5), hour(26)), 2 + 3 + 4 + 6),
        (Span::Hours(hour(6), hour(22)), 3 + 2),
        (Span::Hours(hour(2), hour(4)), 0),
    ] {
        let all = Slice { span, sensor: None, service: None, region: None, class: None, signatures: None };
        let slice = Slice {
            sensor: Some(name.into()),
            service: Some(service),
            region: Some(*b"ZZ"),
            class: Some(sensor_ebpf::abi::TrafficClass::Scan),
            signatures: Some(String::new()),
            ..all.clone()
        };
        let ranking = |facet| Question::Ranking { slice: slice.clone(), facet, most: 5 };
        let value = FacetValue::Service(service);
        let course = |values| Question::Course { slice: all.clone(), facet: Facet::Service, values };
        let questions = Facet::ALL.into_iter().map(ranking).chain([
            course(vec![value]),
            course(Vec::new()),
            Question::SourceCount(slice.clone()),
            Question::SourcesByDay(all.clone()),
            Question::TopSources { slice: slice.clone(), most: 5 },
            Question::Uptime { span, sensor: Some(name.into()) },
            Question::Uptime { span, sensor: Some("nobody".into()) },
            Question::BesideFlows { span, sensor: None },
            Question::BesideFlows { span, sensor: Some(name.into()) },
            Question::HoursFrom,
            Question::LastIntervals,
        ]);
        for question in questions {
            let sql = reader.sql_of(&question);
            let answer = reader.answer(&question, minute).unwrap();
            assert_eq!(answer, reader.query(&sql, 100, minute).unwrap(), "{sql}");
        }
        for facet in Facet::ALL {
            let answer = reader.answer(&ranking(facet), minute).unwrap();
            let place = answer.columns.iter().position(|column| column == "packets").unwrap();
            let found: Vec<_> = answer.rows.iter().map(|row| row[place].clone()).collect();
            let expected = if packets == 0 { vec![] } else { vec![crate::store::Value::Integer(packets)] };
            assert_eq!(found, expected, "{facet:?} {span:?}");
        }
    }
    let version = reader.version().unwrap();
    assert_eq!(reader.version().unwrap(), version);
    commit(&mut *store, &Sample::new(name, 9, day.start() + 30 * 60 * MINUTE));
    assert_ne!(reader.version().unwrap(), version);
}
