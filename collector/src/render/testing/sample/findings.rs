//! What an analyst would add, and what seldom is.

use super::*;

/// Seven of them.
pub fn sections() -> Vec<Section> {
    let names = [
        ("China", "中国"),
        ("United States", "米国"),
        ("Viet Nam", "ベトナム"),
        ("India", "インド"),
        ("Brazil", "ブラジル"),
        ("Indonesia", "インドネシア"),
        ("Thailand", "タイ"),
        ("Other regions", "その他の地域"),
    ];
    let stacked = |count: usize, seed: u64, rise: f64| -> Vec<Series> {
        names
            .iter()
            .take(count)
            .enumerate()
            .map(|(at, (en, ja))| {
                let factor = |day: usize| if day > 40 && at == 0 { rise } else { 1.0 };
                series(Text::new(*en, *ja), values(seed + at as u64, DAYS, 300.0 / (at as f64 + 1.0), factor))
            })
            .collect()
    };
    let telnet = [
        ("Mirai, home", "Mirai型・国内"),
        ("Mirai, abroad", "Mirai型・海外"),
        ("Other, home", "Mirai型以外・国内"),
        ("Other, abroad", "Mirai型以外・海外"),
    ];
    let telnet = telnet.iter().enumerate().map(|(at, (en, ja))| {
        series(Text::new(*en, *ja), values(at as u64 + 60, DAYS, [40.0, 900.0, 75.0, 1_200.0][at], |_| 1.0))
    });
    let window = [("Home", "国内"), ("Abroad", "海外")].iter().enumerate().map(|(at, (en, ja))| {
        series(
            Text::new(*en, *ja),
            values(at as u64 + 70, DAYS, [310.0, 14.0][at], |day| {
                if day > 30 { 1.0 + (day as f64 - 30.0) / 40.0 } else { 0.4 }
            }),
        )
    });
    let outage = values(80, DAYS, 95.0, |day| if (45..52).contains(&day) { 0.04 } else { 1.0 });
    let mut sparse = values(81, DAYS, 3.0e12, |_| 1.0);
    sparse.iter_mut().enumerate().filter(|(day, _)| day % 9 != 0).for_each(|(_, value)| *value = None);
    let outside = Series {
        is_on_right_axis: true,
        ..series(
            Text::new("Open resolvers (survey, weekly)", "オープンリゾルバー数（週次調査）"),
            (0..DAYS).map(|day| (day % 7 == 3).then_some(21_400.0 - 35.0 * day as f64)).collect(),
        )
    };
    let resolvers = vec![
        series(Text::new("53/UDP from home", "国内からの53/UDP"), values(90, DAYS, 18.0, |_| 1.0)),
        outside,
    ];
    let mut beside = figure(
        "figure-resolvers",
        ("53/UDP beside a survey's open resolvers", "53/UDP宛パケットとオープンリゾルバー数"),
        Style::Lines,
        PACKETS,
        resolvers,
    );
    if let Block::Figure(figure) = &mut beside {
        figure.right_unit = Some(Text::new("open resolvers", "オープンリゾルバー数"));
    }
    vec![
        section(
            "mssql",
            ("1433/TCP by source region", "1433/TCP宛パケットの送信元地域"),
            &[(
                "1433/TCP rose from 11 August, most of it from China.",
                "1433/TCP宛のパケットは、中国を送信元とするものを中心に8月11日頃から増加しました。",
            )],
            vec![figure(
                "figure-mssql",
                ("Packets to 1433/TCP by source region", "1433/TCP宛パケットの送信元地域別推移"),
                Style::Stacked,
                PACKETS,
                stacked(8, 40, 3.2),
            )],
        ),
        section(
            "telnet",
            ("Telnet with and without Mirai's signature", "23/TCP宛パケット（Mirai型とそれ以外）"),
            &[(
                "Most telnet scans from abroad did not bear the signature of Mirai.",
                "海外からの23/TCP宛のパケットの多くは、Miraiの特徴を持たないものでした。",
            )],
            vec![figure(
                "figure-telnet",
                ("Packets to 23/TCP by signature and origin", "23/TCP宛パケットの特徴・送信元別推移"),
                Style::Lines,
                PACKETS,
                telnet.collect(),
            )],
        ),
        section(
            "window-5656",
            ("Sources with window 5656", "ウィンドウサイズ5656の送信元"),
            &[(
                "Sources at home multiplied from the end of July.",
                "国内の送信元アドレスは7月末から増加しました。",
            )],
            vec![figure(
                "figure-window",
                ("Source addresses with window size 5656", "ウィンドウサイズ5656の送信元アドレス数"),
                Style::Lines,
                SOURCES,
                window.collect(),
            )],
        ),
        backscatter(stacked(3, 100, 0.4)),
        section(
            "outage",
            ("A region gone quiet", "観測数が減少した地域"),
            &[(
                "Packets from Iran fell to 4% from 15 to 21 August.",
                "イランを送信元とするパケットは、8月15日から21日にかけて通常の4%まで減少しました。",
            )],
            vec![figure(
                "figure-outage",
                ("Packets from Iran", "イランからのパケット観測数"),
                Style::Lines,
                PACKETS,
                vec![series(Text::new("Iran", "イラン"), outage)],
            )],
        ),
        section("resolvers", ("An outside series", "外部データとの比較"), &[], vec![beside]),
        section(
            "extremes",
            ("Long, large, and empty", "長期間・大きな値・観測なし"),
            &[],
            vec![
                figure(
                    "figure-year",
                    ("Fourteen months", "14か月の推移"),
                    Style::Lines,
                    PACKETS,
                    vec![
                        series(
                            Text::same("445/TCP"),
                            values(110, 427, 1_800.0, |day| 1.0 - day as f64 / 600.0),
                        ),
                        series(Text::same("3389/TCP"), values(111, 427, 900.0, |_| 1.0)),
                    ],
                ),
                figure(
                    "figure-large",
                    ("Far apart and large", "大きな値とまばらな観測"),
                    Style::Lines,
                    PACKETS,
                    vec![series(Text::same("0/ICMP"), sparse)],
                ),
                figure(
                    "figure-none",
                    ("Never observed", "観測のない系列"),
                    Style::Lines,
                    PACKETS,
                    vec![series(Text::same("9/UDP"), vec![None; DAYS])],
                ),
                figure(
                    "figure-day",
                    ("One day", "1日のみ"),
                    Style::Stacked,
                    PACKETS,
                    vec![
                        series(Text::same("23/TCP"), vec![Some(3.5)]),
                        series(Text::same("2323/TCP"), vec![Some(1.25)]),
                    ],
                ),
            ],
        ),
    ]
}

fn backscatter(by_region: Vec<Series>) -> Section {
    let mut dice = Dice(7);
    let names = [
        "203.0.113.7 (US)",
        "198.51.100.20 (CN)",
        "192.0.2.99 (HK)",
        "203.0.113.140 (BR)",
        "2001:db8:4a::53 (JP)",
        "198.51.100.4 (FR)",
    ];
    let rows = names.iter().enumerate().map(|(at, name)| {
        let begin = 8 + at * 12;
        let values = (0..DAYS).map(|day| {
            let is_hit = (begin..begin + 9).contains(&day) || dice.roll() < 0.06;
            let count =
                if is_hit { (dice.roll() * dice.roll() * 4_000.0 / (at as f64 + 1.0)) as u64 } else { 0 };
            (!is_gap(day)).then_some(count)
        });
        MatrixRow { name: Text::same(*name), values: values.collect() }
    });
    let rows: Vec<MatrixRow> = rows.collect();
    let matrix = |id: &str, title: (&str, &str), from: usize, to: usize| {
        let rows = rows
            .iter()
            .map(|row| MatrixRow { name: row.name.clone(), values: row.values[from..to].to_vec() });
        Block::Matrix(Matrix {
            id: id.into(),
            title: Text::new(title.0, title.1),
            unit: Text::new("backscatter packets", "バックスキャッターのパケット数"),
            days: days(DAYS)[from..to].to_vec(),
            rows: rows.collect(),
        })
    };
    section(
        "backscatter",
        ("Backscatter", "跳ね返りパケット"),
        &[(
            "Backscatter came from fewer addresses than before.",
            "跳ね返りパケットの送信元アドレスは減少しました。",
        )],
        vec![
            figure(
                "figure-backscatter",
                ("Backscatter's source addresses by region", "跳ね返りパケットの地域別送信元アドレス数"),
                Style::Stacked,
                SOURCES,
                by_region,
            ),
            matrix("matrix-victims", ("Victims by day", "日別の被害アドレス"), 0, DAYS),
            matrix(
                "matrix-fortnight",
                ("Victims by day, a fortnight", "日別の被害アドレス（2週間）"),
                18,
                32,
            ),
        ],
    )
}
