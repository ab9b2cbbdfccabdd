//! Names that files can have.

use crate::aside::sha256;

/// Bytes of a name in a file's name, which has at most 255 and needs some for what is around it.
const LONGEST: usize = 120;

/// A name as part of a file's name: letters, digits, `.`, `_` and `-` as they are, other bytes as `%` and two digits. A
/// long one is its beginning, `~`, and a hash of all of it, so that no two have the same.
#[must_use]
pub fn escape(name: &str) -> String {
    const HASH: usize = 16;
    let mut text = escape_whole(name);
    if text.len() > LONGEST {
        text.truncate(LONGEST - HASH - 1);
        text.push('~');
        text.push_str(sha256(name.as_bytes()).get(..HASH).unwrap_or_default());
    }
    text
}

fn escape_whole(name: &str) -> String {
    let mut text = String::new();
    for (place, byte) in name.bytes().enumerate() {
        let plain =
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') || (byte == b'.' && place > 0);
        if plain {
            text.push(byte.into());
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leaves_its_folder_or_hides() {
        assert_eq!(escape("tokyo-1"), "tokyo-1");
        assert_eq!(escape("../x"), "%2E.%2Fx");
        assert_eq!(escape("東"), "%E6%9D%B1");
        assert_eq!(escape(&"x".repeat(64)), "x".repeat(64));
        let [one, other] = ["京", "都"].map(|end| escape(&("東".repeat(63) + end)));
        assert!(one.len() == LONGEST && other.len() == LONGEST && one != other, "{one} {other}");
    }
}
