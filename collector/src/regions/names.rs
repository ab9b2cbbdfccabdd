//! What regions are called.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::language::Text;

/// A line for each code: the code, its short name in English, and in Japanese. The codes of ISO 3166-1; those that the
/// registries write besides them, `AP`, `EU` and `XK`; and `ZZ` for none that is known.
const NAMES: &str = include_str!("names.tsv");

static BY_CODE: LazyLock<HashMap<[u8; 2], Text>> = LazyLock::new(|| NAMES.lines().filter_map(line).collect());

fn line(line: &str) -> Option<([u8; 2], Text)> {
    let (code, names) = line.split_once('\t')?;
    let (english, japanese) = names.split_once('\t')?;
    Some((code.as_bytes().try_into().ok()?, Text::new(english, japanese)))
}

/// The short common name of a region, `None` for a code that nobody has given to one.
#[must_use]
pub fn region_name(code: [u8; 2]) -> Option<Text> {
    BY_CODE.get(&code).cloned()
}

/// Whether this is the code of a region, as this program knows them.
#[must_use]
pub fn is_region(code: [u8; 2]) -> bool {
    BY_CODE.contains_key(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_code_and_two_names() {
        let lines: Vec<_> = NAMES.lines().map(|text| line(text).ok_or(text).unwrap()).collect();
        // 249 of ISO 3166-1, and four more.
        assert_eq!(lines.len(), 253);
        assert!(lines.is_sorted_by(|(one, _), (other, _)| one < other));
        for (code, Text { en, ja }) in &lines {
            assert!(code.iter().all(u8::is_ascii_uppercase), "{code:?}");
            assert!(!en.is_empty() && !en.contains('\t') && en.trim() == en, "{en}");
            assert!(!ja.is_empty() && !ja.contains('\t') && ja.trim() == ja, "{ja}");
            assert!(!ja.is_ascii(), "{ja}");
        }
    }

    #[test]
    fn names_are_those_that_people_use() {
        for (code, en, ja) in [
            (b"JP", "Japan", "日本"),
            (b"US", "United States", "米国"),
            (b"NL", "Netherlands", "オランダ"),
            (b"RU", "Russia", "ロシア"),
            (b"KR", "South Korea", "韓国"),
            (b"GB", "United Kingdom", "英国"),
            (b"BG", "Bulgaria", "ブルガリア"),
            (b"ZZ", "Unknown", "不明"),
        ] {
            assert_eq!(region_name(*code), Some(Text::new(en, ja)));
        }
        assert_eq!(region_name(*b"QQ"), None);
        assert!(is_region(*b"EU") && !is_region(*b"jp"));
    }
}
