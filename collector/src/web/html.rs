//! Text and numbers as HTML has them: every word that goes into a page goes through here.

use std::fmt::{self, Write as _};

/// A text, escaped for content and for attributes in double quotes.
pub struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => formatter.write_str("&amp;")?,
                '<' => formatter.write_str("&lt;")?,
                '>' => formatter.write_str("&gt;")?,
                '"' => formatter.write_str("&quot;")?,
                '\'' => formatter.write_str("&#39;")?,
                // Neither HTML nor a reader has a use for them.
                character if character.is_control() && character != '\n' => {
                    formatter.write_char('\u{fffd}')?
                }
                // Marks that turn the direction of what follows: a name must not reorder its surroundings.
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => formatter.write_char('\u{fffd}')?,
                character => formatter.write_char(character)?,
            }
        }
        Ok(())
    }
}

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
    fn nothing_of_a_text_is_markup() {
        let hostile = "<script>alert('1')</script>\" onload=\"x&y\u{0}\u{202e}";
        let escaped = Escaped(hostile).to_string();
        assert!(!escaped.contains(['<', '>', '"', '\'', '\u{0}', '\u{202e}']), "{escaped}");
        assert_eq!(Escaped("日本 & more").to_string(), "日本 &amp; more");
    }

    #[test]
    fn numbers_and_queries_are_as_people_and_servers_read_them() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(encoded("a b&c=日+'"), "a%20b%26c%3D%E6%97%A5%2B%27");
    }
}
