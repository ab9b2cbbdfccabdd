//! What is sent.

use clap::ValueEnum;
use testbed::mix::{self, Mix, UniformLength};

/// One of the mixes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Traffic {
    /// Frames of 64 bytes from one source
    OneSource,
    /// Frames of 64 bytes from 10 thousand sources
    TenThousandSources,
    /// Frames of 64 bytes from a million sources
    MillionSources,
    /// Frames of 64, 570 and 1518 bytes, 7:4:1, from a million sources
    Imix,
}

impl Traffic {
    pub const ALL: [Self; 4] = [Self::OneSource, Self::TenThousandSources, Self::MillionSources, Self::Imix];

    /// TCP SYNs, and UDP in the IMIX, from random ports to random ports of 256 addresses.
    pub fn mix(self) -> Mix {
        let short = mix::uniform(UniformLength::Sixty);
        match self {
            Self::OneSource => short.from_sources(1),
            Self::TenThousandSources => short.from_sources(10_000),
            Self::MillionSources => short.from_sources(1_000_000),
            Self::Imix => mix::imix().from_sources(1_000_000),
        }
    }

    /// Within names of figures.
    pub fn name(self) -> &'static str {
        match self {
            Self::OneSource => "1_source",
            Self::TenThousandSources => "10k_sources",
            Self::MillionSources => "1m_sources",
            Self::Imix => "imix",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::OneSource => "64-byte frames, 1 source",
            Self::TenThousandSources => "64-byte frames, 10 thousand sources",
            Self::MillionSources => "64-byte frames, 1 million sources",
            Self::Imix => "IMIX, 1 million sources",
        }
    }
}

/// Of what was sent, by kind in the order of the mix, how much was TCP.
pub fn tcp_of(mix: &Mix, by_kind: &[u64]) -> u64 {
    /// Where an IPv4 header has its protocol.
    const PROTOCOL: usize = 9;
    const TCP: u8 = 6;
    let is_tcp = |frame: &testbed::frame::Built| frame.bytes.get(frame.network + PROTOCOL) == Some(&TCP);
    mix.kinds().iter().zip(by_kind).filter(|(kind, _)| is_tcp(&kind.frame)).map(|(_, packets)| packets).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_imix_seven_of_twelve_are_tcp_and_of_the_others_all() {
        assert_eq!(tcp_of(&Traffic::Imix.mix(), &[70, 40, 10]), 70);
        assert_eq!(tcp_of(&Traffic::OneSource.mix(), &[5]), 5);
    }
}
