//! The columns of the sensor's files of flows: which of them make the key.

#[derive(Debug)]
pub struct Schema {
    /// What `apus-sensor replay --flow-key` calls it.
    pub flow_key: &'static str,
    pub keys: &'static [&'static str],
    pub values: &'static [&'static str],
}

pub static BY_SOURCE: Schema = Schema {
    flow_key: "source",
    keys: &[
        "ip_version",
        "src_ip",
        "victim_ip",
        "protocol",
        "class",
        "port",
        "icmp_type",
        "icmp_code",
        "mirai",
        "zmap",
        "masscan",
        "window",
        "quoted_protocol",
    ],
    values: &[
        "interval_start",
        "interval_end",
        "packets",
        "bytes",
        "first_seen",
        "last_seen",
        "ttl_min",
        "ttl_max",
        "targets",
        "targets_counted",
        "overflow",
    ],
};

pub static BY_TUPLE: Schema = Schema {
    flow_key: "flowtuple",
    keys: &[
        "ip_version",
        "src_ip",
        "dst_ip",
        "src_port",
        "dst_port",
        "protocol",
        "ttl",
        "tcp_flags",
        "ip_len",
        "class",
    ],
    values: &[
        "interval_start",
        "interval_end",
        "time",
        "last_seen",
        "tcp_synlen",
        "tcp_synwinlen",
        "packet_cnt",
        "is_masscan",
        "is_mirai",
        "is_zmap",
        "bytes",
        "overflow",
    ],
};

/// How a column's text is to be read before it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Address,
    Time,
    Text,
}

pub fn kind(column: &str) -> Kind {
    match column {
        "src_ip" | "dst_ip" | "victim_ip" => Kind::Address,
        "interval_start" | "interval_end" | "first_seen" | "last_seen" | "time" => Kind::Time,
        _ => Kind::Text,
    }
}
