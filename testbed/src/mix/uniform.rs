//! TCP SYNs in which as much is random as can be: no two packets share a counter's cache line for long.

use sensor_ebpf::generate::mutations::{DESTINATION_PORT, IPV4_SOURCE, IPV4_TARGET, SEQUENCE, SOURCE_PORT};

use super::expectation::{Expectation, Port, Version};
use super::{Kind, Mix, telescope};
use crate::frame::Frame;

/// Bytes of a frame, with and without the four bytes of its check sequence that no program sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UniformLength {
    /// The shortest frame as a program sees it.
    Sixty,
    SixtyFour,
}

/// One kind of packet, with random sources, ports and sequence numbers.
#[must_use]
pub fn uniform(length: UniformLength) -> Mix {
    let options: &[u8] = match length {
        UniformLength::Sixty => &[2, 4, 5, 180],
        UniformLength::SixtyFour => &[2, 4, 5, 180, 1, 3, 3, 7],
    };
    let frame = Frame::ethernet().ipv4(&telescope::ipv4()).tcp(&telescope::syn(23, 65535, options)).build();
    Mix::new(vec![Kind {
        name: "SYN to any port",
        weight: 1,
        frame,
        mutations: IPV4_SOURCE | IPV4_TARGET | SOURCE_PORT | DESTINATION_PORT | SEQUENCE,
        expectation: Expectation::scan(Version::V4, Port::Any),
    }])
}
