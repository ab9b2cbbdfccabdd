//! Tables as people see them: in files, and as the names that questions in SQL know.

use std::str::FromStr;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    Text,
    /// 64 bits, signed; no number in a store is beyond.
    Integer,
    Real,
    Flag,
    /// A day of UTC.
    Date,
    /// Nanoseconds, UTC.
    Time,
}

/// A column: its name, what it holds, and whether it may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub kind: ColumnKind,
    pub optional: bool,
}

macro_rules! columns {
    ($($name:ident $kind:ident $($optional:ident)?),+ $(,)?) => {
        &[$(Column { name: stringify!($name), kind: ColumnKind::$kind, optional: columns!(@ $($optional)?) }),+]
    };
    (@) => { false };
    (@ $optional:ident) => { true };
}

/// A table or a rollup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Table {
    Intervals,
    Counters,
    Flows,
    Tuples,
    PortDay,
    SourceDay,
    CounterDay,
    UptimeDay,
    WindowDay,
    PortHour,
    UptimeHour,
}

impl Table {
    pub const ALL: [Self; 11] = [
        Self::Intervals,
        Self::Counters,
        Self::Flows,
        Self::Tuples,
        Self::PortDay,
        Self::SourceDay,
        Self::CounterDay,
        Self::UptimeDay,
        Self::WindowDay,
        Self::PortHour,
        Self::UptimeHour,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intervals => "intervals",
            Self::Counters => "counters",
            Self::Flows => "flows",
            Self::Tuples => "tuples",
            Self::PortDay => "port_day",
            Self::SourceDay => "source_day",
            Self::CounterDay => "counter_day",
            Self::UptimeDay => "uptime_day",
            Self::WindowDay => "window_day",
            Self::PortHour => "port_hour",
            Self::UptimeHour => "uptime_hour",
        }
    }

    /// Its columns, in order.
    #[must_use]
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::Intervals => columns![
                sensor Text, epoch Time, first_sequence Integer, last_sequence Integer, start Time, end Time,
                clock_step_ns Integer, program_version Text, abi_version Integer, signatures_version Integer,
                observed_ipv4 Integer, observed_ipv6_prefixes Integer, watched_windows Text, breaches Text,
                packets Integer, bytes Integer, observed_packets Integer,
                digests_written_ipv4 Integer optional, digests_written_ipv6 Integer optional,
                digests_lost_ipv4 Integer optional, digests_lost_ipv6 Integer optional,
                digests_unread_ipv4 Integer optional, digests_unread_ipv6 Integer optional, digests_off Integer optional,
                flow_key Text optional, flow_rows Integer optional, flow_packets Integer optional,
                overflow_rows Integer optional, overflow_packets Integer optional, flow_packets_missing Integer,
                flows_kept Text, ring_most_waiting Integer, ring_records Integer,
                arrived Time, sent Time optional,
            ],
            Self::Counters => columns![
                sensor Text, start Time, end Time, dimension Text, key Integer, packets Integer,
            ],
            Self::Flows => columns![
                sensor Text, first_seen Time, last_seen Time, ip_version Integer, src_ip Text optional,
                victim_ip Text optional, protocol Integer, class Text, port Integer optional, icmp_type Integer optional,
                icmp_code Integer optional, signatures Text, window Integer optional, quoted_protocol Integer optional,
                packets Integer, bytes Integer, ttl_min Integer, ttl_max Integer, targets Integer,
                targets_counted Text, overflow Flag,
            ],
            Self::Tuples => columns![
                sensor Text, first_seen Time, last_seen Time, ip_version Integer, src_ip Text optional,
                dst_ip Text optional, src_port Integer, dst_port Integer, protocol Integer, ttl Integer,
                tcp_flags Integer, ip_len Integer, tcp_synlen Integer, tcp_synwinlen Integer, class Text,
                signatures Text, packets Integer, bytes Integer, overflow Flag,
            ],
            Self::PortDay => columns![
                day Date, sensor Text, protocol Integer, class Text, port Integer optional, icmp_type Integer optional,
                icmp_code Integer optional, region Text, regions_version Integer, signatures Text,
                packets Integer, bytes Integer,
            ],
            Self::SourceDay => columns![
                day Date, src_ip Text, protocol Integer, class Text, port Integer optional, icmp_type Integer optional,
                icmp_code Integer optional, region Text, regions_version Integer, signatures Text,
                watched_window Integer optional, packets Integer, bytes Integer, first_seen Time, last_seen Time,
                sensors Integer,
            ],
            Self::CounterDay => columns![
                day Date, sensor Text, dimension Text, key Integer, packets Integer,
            ],
            Self::UptimeDay => columns![
                day Date, sensor Text, seconds Real, seconds_with_flows Real, flow_packets_missing Integer,
            ],
            Self::WindowDay => columns![day Date, sensor Text, watched_window Integer, seconds Real],
            Self::PortHour => columns![
                day Date, hour Integer, sensor Text, protocol Integer, class Text, port Integer optional,
                icmp_type Integer optional, icmp_code Integer optional, region Text, regions_version Integer,
                signatures Text, packets Integer, bytes Integer,
            ],
            Self::UptimeHour => columns![day Date, hour Integer, sensor Text, seconds Real],
        }
    }
}

impl FromStr for Table {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|table| table.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("no table is called {name}; there are {names}")
        })
    }
}
