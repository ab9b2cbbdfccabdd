//! The first ports and regions.

use super::*;

/// Two of them.
pub fn sections() -> Vec<Section> {
    let ports = [
        ("23/TCP (telnet)", 2_300.0),
        ("8728/TCP (MikroTik API)", 1_150.0),
        ("6379/TCP (redis)", 780.0),
        ("80/TCP (http)", 560.0),
        ("22/TCP (ssh)", 470.0),
    ];
    let rise = |day: usize| if day > 50 { 1.0 + (day as f64 - 50.0) / 30.0 } else { 1.0 };
    let of_ports = ports.iter().enumerate().map(|(at, (name, base))| {
        let values = values(at as u64 + 1, DAYS, *base, |day| if at == 1 { rise(day) } else { 1.0 });
        series(Text::same(*name), values)
    });
    let regions = [
        ("United States", "米国"),
        ("Bulgaria", "ブルガリア"),
        ("China", "中国"),
        ("Netherlands", "オランダ"),
        ("Russia", "ロシア"),
    ];
    let of_regions = regions.iter().enumerate().map(|(at, (en, ja))| {
        let weeks = |day: usize| 1.0 + 0.25 * (day as f64 / 9.0 + at as f64).sin();
        series(Text::new(*en, *ja), values(at as u64 + 20, DAYS, 2_600.0 / (at as f64 + 1.2), weeks))
    });
    let previous = [Some(1.0), Some(9.0), None, Some(4.0), Some(3.0)];
    let rows: Vec<_> = ports.iter().zip(previous).map(|((name, _), rank)| (*name, *name, rank)).collect();
    let region_rows: Vec<_> = regions.iter().zip(previous).map(|((en, ja), rank)| (*en, *ja, rank)).collect();
    vec![
        section(
            "ports",
            ("Destination ports", "宛先ポート番号"),
            &[
                (
                    "The most packets were sent to 23/TCP (telnet), as in the previous quarter.",
                    "最も多く観測されたのは、前四半期と同じく23/TCP（telnet）宛のパケットでした。",
                ),
                (
                    "8728/TCP (MikroTik API) rose from the ninth place to the second: 1.8 times as many packets, most of them since 21 August.",
                    "8728/TCP（MikroTik API）宛は前四半期の9位から2位になりました。8月21日頃から増加し、前四半期の1.8倍です。",
                ),
            ],
            vec![
                top(
                    "table-ports",
                    ("Top 5 destination ports", "宛先ポート番号トップ5"),
                    ("Destination port", "宛先ポート番号"),
                    &rows,
                ),
                figure(
                    "figure-ports",
                    ("Packets to the top 5 destination ports", "宛先ポート番号トップ5のパケット観測数の推移"),
                    Style::Lines,
                    PACKETS,
                    of_ports.collect(),
                ),
            ],
        ),
        section(
            "regions",
            ("Source regions", "送信元地域"),
            &[(
                "The United States were the first among the source regions, as before.",
                "送信元地域は、前四半期と同じく米国が1位でした。",
            )],
            vec![
                top(
                    "table-regions",
                    ("Top 5 source regions", "送信元地域トップ5"),
                    ("Source region", "送信元地域"),
                    &region_rows,
                ),
                figure(
                    "figure-regions",
                    ("Packets from the top 5 source regions", "送信元地域トップ5のパケット観測数の推移"),
                    Style::Lines,
                    PACKETS,
                    of_regions.collect(),
                ),
            ],
        ),
    ]
}
