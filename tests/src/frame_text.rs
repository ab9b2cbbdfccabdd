//! Frames as people read them: a line for each header, its bytes in hexadecimal.
//!
//! ```text
//! ethernet  020000000002 020000000001 0800
//! ipv4      45 00 0028 0001 0000 40 06 0000 c6336401 cb007107   # what is special about it
//! tcp       9c40 0017 00000001 00000000 50 02 0400 0000 0000
//! padding   00*6
//! ```
//!
//! A header's line has as many bytes as the header, so that a slip of the pen is not taken for a rule.

use anyhow::{Context as _, Result, bail, ensure};

/// How many bytes a line may have: exactly so many, or a multiple.
enum Length {
    Exactly(usize),
    MultipleOf(usize),
}

/// The words that may begin a line.
const LINES: [(&str, Length); 14] = [
    ("ethernet", Length::Exactly(14)),
    // What follows the tag protocol identifier: the tag's control field and the next ethertype.
    ("vlan", Length::Exactly(4)),
    ("ipv4", Length::Exactly(20)),
    ("options", Length::MultipleOf(4)),
    ("ipv6", Length::Exactly(40)),
    ("extension", Length::MultipleOf(8)),
    ("tcp", Length::Exactly(20)),
    ("udp", Length::Exactly(8)),
    ("icmp", Length::Exactly(8)),
    ("icmpv6", Length::Exactly(4)),
    ("payload", Length::MultipleOf(1)),
    ("padding", Length::MultipleOf(1)),
    // What is left of a header.
    ("cut", Length::MultipleOf(1)),
    // A header that the sensor does not know.
    ("other", Length::MultipleOf(1)),
];

/// The bytes of a frame.
///
/// # Errors
/// Where a line is not one of ours.
pub fn parse(text: &str) -> Result<Vec<u8>> {
    let mut frame = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let Some(label) = words.next() else {
            continue;
        };
        let bytes: Vec<u8> = words
            .map(repeated)
            .collect::<Result<Vec<_>>>()
            .with_context(|| format!("in the line {line:?}"))?
            .concat();
        check(label, bytes.len())?;
        frame.extend(bytes);
    }
    Ok(frame)
}

fn check(label: &str, length: usize) -> Result<()> {
    let Some((_, expected)) = LINES.iter().find(|(name, _)| *name == label) else {
        bail!("a line of a frame cannot begin with {label:?}");
    };
    match expected {
        Length::Exactly(bytes) => ensure!(length == *bytes, "{label} has {bytes} bytes, not {length}"),
        Length::MultipleOf(bytes) => {
            ensure!(length.is_multiple_of(*bytes), "{label} is a multiple of {bytes} bytes, not {length}");
        }
    }
    Ok(())
}

/// `0a0b` as it stands, or `0a0b*3` three times.
fn repeated(word: &str) -> Result<Vec<u8>> {
    let (digits, times) = match word.split_once('*') {
        Some((digits, times)) => (digits, times.parse().with_context(|| format!("{word}: how often?"))?),
        None => (word, 1),
    };
    Ok(hexadecimal(digits)?.repeat(times))
}

fn hexadecimal(digits: &str) -> Result<Vec<u8>> {
    let values: Vec<u8> = digits
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok()))
        .collect::<Option<_>>()
        .with_context(|| format!("{digits} is not hexadecimal"))?;
    ensure!(values.len().is_multiple_of(2), "{digits} has half a byte at its end");
    Ok(values.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
