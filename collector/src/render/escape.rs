//! Anyone's words, made fit for XML, HTML, and Markdown: for reports and for the page alike.
//!
//! What nobody would see is spelled out wherever a word stands: a sensor's name must neither hide something nor reorder
//! its surroundings. What ends a line becomes a space, but where lines are what is shown.

use wire::is_hidden;

/// For text and for attributes between double quotes. What XML cannot hold, or nobody would see, is spelled out.
#[must_use]
pub fn xml(text: &str) -> String {
    escaped(text, |_| false)
}

/// The same for what is in lines, such as what a `pre` holds: they stay lines, with what they are indented by.
#[must_use]
pub fn xml_of_lines(text: &str) -> String {
    escaped(text, |character| matches!(character, '\n' | '\t'))
}

fn escaped(text: &str, is_kept: impl Fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            _ if is_kept(character) => escaped.push(character),
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => shown(character, &mut escaped),
        }
    }
    escaped
}

/// For an `id`, and what refers to it: of `a-z0-9-`, whatever it was.
#[must_use]
pub fn anchor(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}

/// For one line of GitHub's Markdown, within a table or not: nothing in it is markup, a link, or a new line.
#[must_use]
pub fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.trim_start().chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '$' | '!' | '@' => {
                escaped.push('\\');
                escaped.push(character);
            }
            _ => shown(character, &mut escaped),
        }
    }
    // Addresses become links by themselves wherever they stand.
    let escaped = escaped.replace("://", "\\://").replace("www.", "www\\.");
    // A list or a rule begins only at the beginning.
    let digits = escaped.bytes().take_while(u8::is_ascii_digit).count();
    match escaped.as_bytes().get(digits) {
        Some(b'.' | b')')
            if digits > 0 && matches!(escaped.as_bytes().get(digits + 1), None | Some(b' ')) =>
        {
            format!("{}\\{}", &escaped[..digits], &escaped[digits..])
        }
        Some(b'-' | b'+' | b'=') if digits == 0 => format!("\\{escaped}"),
        _ => escaped,
    }
}

fn shown(character: char, escaped: &mut String) {
    match character {
        '\t' | '\n' | '\r' => escaped.push(' '),
        '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
        _ if is_hidden(character) => escaped.extend(character.escape_default()),
        _ => escaped.push(character),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_spelled_out() {
        assert_eq!(
            xml("<a b='c\"&>\u{0}\u{8}\n\u{202e}\u{ffff}東"),
            "&lt;a b=&#39;c&quot;&amp;&gt;\\u{0}\\u{8} \\u{202e}\u{fffd}東"
        );
    }

    #[test]
    fn lines_stay_where_they_are_what_is_shown() {
        assert_eq!(xml_of_lines("SELECT '<'\n\t\r\u{202e}"), "SELECT &#39;&lt;&#39;\n\t \\u{202e}");
        let hostile = "<script>alert('1')</script>\" onload=\"x&y\u{0}\u{202e}";
        for escaped in [xml(hostile), xml_of_lines(hostile)] {
            assert!(!escaped.contains(['<', '>', '"', '\'', '\u{0}', '\u{202e}']), "{escaped}");
        }
    }

    #[test]
    fn an_anchor_closes_no_attribute() {
        assert_eq!(anchor("Port-23\" onload=)"), "port-23--onload--");
    }

    #[test]
    fn markdown_of_others_is_text() {
        assert_eq!(markdown("a|b\n# c `d` <b>"), "a\\|b \\# c \\`d\\` &lt;b&gt;");
        assert_eq!(markdown("23/TCP (ms-sql-s)"), "23/TCP (ms-sql-s)");
        assert_eq!(markdown("  - x"), "\\- x");
        assert_eq!(markdown("12. x"), "12\\. x");
        assert_eq!(markdown("12.5 per cent"), "12.5 per cent");
        assert_eq!(markdown("https://a.test www.b.test"), "https\\://a.test www\\.b.test");
    }
}
