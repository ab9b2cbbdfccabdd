//! Numbers, and texts in addresses, as the page writes them.

use std::fmt::Write as _;

/// A number, grouped by thousands.
pub fn count(number: u64) -> String {
    wire::grouped(&number.to_string())
}

/// A text as a part of a query, percent-encoded.
pub fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte))
            }
            _ => {
                let _infallible = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_queries_are_as_people_and_servers_read_them() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(encoded("a b&c=日+'"), "a%20b%26c%3D%E6%97%A5%2B%27");
    }
}
