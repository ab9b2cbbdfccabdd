//! What a flow is of, packed into one integer that SQLite keeps in four bytes where no window is told.

use sensor_ebpf::abi::TrafficClass;
use wire::Row;

use crate::store::{Match, Selector};

/// Bits of a kind, from the lowest: port, or type and code of ICMP (16); signatures (3); class (3); which of both the
/// first is, if any (2); protocol (8); window + 1, or 0 (17); signatures without a name (5). Everyday protocols are
/// below 128, so that everyday kinds have 31 bits.
pub const PORT: i64 = 1 << 22;
pub const ICMP: i64 = 2 << 22;

/// The kind of a row. `window` is told apart where it is given.
pub fn of(row: &Row, window: Option<u16>) -> i64 {
    let service = match (row.port, row.icmp) {
        (Some(port), _) => PORT | i64::from(port),
        (None, Some((kind, code))) => ICMP | i64::from(u16::from_be_bytes([kind, code])),
        (None, None) => 0,
    };
    let window = window.map_or(0, |window| i64::from(window) + 1);
    service
        | i64::from(row.signatures & 7) << 16
        | i64::from(row.class as u8) << 19
        | i64::from(row.protocol) << 24
        | window << 32
        | i64::from(row.signatures >> 3) << 49
}

/// The same kind, without its window.
pub const WITHOUT_WINDOW: i64 = !(0x1_ffff << 32);

/// The parts of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    pub protocol: u8,
    pub class: TrafficClass,
    pub service: Selector,
    pub signatures: u8,
    pub window: Option<u16>,
}

impl Kind {
    pub fn of(kind: i64) -> Self {
        let [low, high, ..] = kind.to_le_bytes();
        let byte = |shift: u32| kind.unsigned_abs().unbounded_shr(shift).to_le_bytes()[0];
        let window = (kind >> 32) & 0x1_ffff;
        Self {
            protocol: byte(24),
            class: TrafficClass::from_number(byte(19) & 7).unwrap_or(TrafficClass::Other),
            service: match kind & (PORT | ICMP) {
                PORT => Selector::Port(u16::from_le_bytes([low, high])),
                ICMP => Selector::Icmp(high, low),
                _ => Selector::Nothing,
            },
            signatures: byte(16) & 7 | (byte(49) & 31) << 3,
            window: u16::try_from(window - 1).ok(),
        }
    }
}

/// The bits of a kind that are looked at, and what they have to be, so that one comparison tells what matches.
pub fn bits(wanted: &Match) -> (i64, i64) {
    let (mut mask, mut value) = (0, 0);
    let mut want = |bits: i64, as_these: i64| {
        mask |= bits;
        value |= as_these;
    };
    let signatures = |bits: u8| i64::from(bits & 7) << 16 | i64::from(bits >> 3) << 49;
    if let Some(port) = wanted.port {
        want(PORT | ICMP | 0xffff, PORT | i64::from(port));
    }
    if let Some(class) = wanted.class {
        want(7 << 19, i64::from(class as u8) << 19);
    }
    if let Some(protocol) = wanted.protocol {
        want(255 << 24, i64::from(protocol) << 24);
    }
    if let Some(window) = wanted.window {
        want(0x1_ffff << 32, (i64::from(window) + 1) << 32);
    }
    want(signatures(wanted.signatures | wanted.no_signatures), signatures(wanted.signatures));
    (mask, value)
}

/// The parts of a kind in SQL, of the column with this name.
pub struct Parts(pub &'static str);

impl Parts {
    pub fn port(&self) -> String {
        format!("iif(({0} >> 22) & 3 = 1, {0} & 65535, NULL)", self.0)
    }

    pub fn icmp_type(&self) -> String {
        format!("iif(({0} >> 22) & 3 = 2, ({0} >> 8) & 255, NULL)", self.0)
    }

    pub fn icmp_code(&self) -> String {
        format!("iif(({0} >> 22) & 3 = 2, {0} & 255, NULL)", self.0)
    }

    pub fn protocol(&self) -> String {
        format!("(({0} >> 24) & 255)", self.0)
    }

    /// Its number; see [`Parts::class_name`].
    pub fn class(&self) -> String {
        format!("(({0} >> 19) & 7)", self.0)
    }

    pub fn class_name(&self) -> String {
        names(&self.class(), TrafficClass::ALL.map(TrafficClass::name))
    }

    pub fn signatures(&self) -> String {
        format!("((({0} >> 16) & 7) | ((({0} >> 49) & 31) << 3))", self.0)
    }

    pub fn window(&self) -> String {
        format!("nullif(({0} >> 32) & 131071, 0) - 1", self.0)
    }
}

/// An expression with the name of a number, from 0.
pub fn names(number: &str, names: impl IntoIterator<Item = &'static str>) -> String {
    let cases: Vec<String> =
        names.into_iter().enumerate().map(|(number, name)| format!("WHEN {number} THEN '{name}'")).collect();
    format!("CASE {number} {} END", cases.join(" "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rusqlite::Connection;
    use sensor_ebpf::abi::Family;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn no_part_of_a_kind_is_lost(
            class in 0_usize..6,
            protocol: u8,
            signatures: u8,
            port: Option<u16>,
            icmp: Option<(u8, u8)>,
            window: Option<u16>,
        ) {
            let row = Row {
                class: TrafficClass::ALL[class], protocol, signatures, port,
                icmp: icmp.filter(|_| port.is_none()),
                ..Row::new(Family::Ipv4)
            };
            let parts = Parts("?1");
            let sql = format!(
                "SELECT {}, {}, {}, {}, {}, {}, {}, {}",
                parts.port(), parts.icmp_type(), parts.icmp_code(), parts.protocol(), parts.class(),
                parts.class_name(), parts.signatures(), parts.window(),
            );
            let connection = Connection::open_in_memory().unwrap();
            connection.query_row(&sql, [of(&row, window)], |found| {
                assert_eq!(found.get::<_, Option<u16>>(0)?, row.port);
                assert_eq!(found.get::<_, Option<u8>>(1)?, row.icmp.map(|(kind, _)| kind));
                assert_eq!(found.get::<_, Option<u8>>(2)?, row.icmp.map(|(_, code)| code));
                assert_eq!(found.get::<_, u8>(3)?, protocol);
                assert_eq!(found.get::<_, u8>(4)?, class as u8);
                assert_eq!(found.get::<_, String>(5)?, row.class.name());
                assert_eq!(found.get::<_, u8>(6)?, signatures);
                assert_eq!(found.get::<_, Option<u16>>(7)?, window);
                Ok(())
            }).unwrap();
            prop_assert_eq!(of(&row, window) & WITHOUT_WINDOW, of(&row, None));
            let service = match (row.port, row.icmp) {
                (Some(port), _) => Selector::Port(port),
                (None, Some((kind, code))) => Selector::Icmp(kind, code),
                (None, None) => Selector::Nothing,
            };
            let expected = Kind { protocol, class: row.class, service, signatures, window };
            prop_assert_eq!(Kind::of(of(&row, window)), expected);
        }
    }
}
