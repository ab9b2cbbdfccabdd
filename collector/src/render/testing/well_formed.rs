//! A strict reader of what is written here: every element closed, every attribute once and quoted, every reference one
//! that XML has without a list of entities, every character one that XML can hold.

/// One element's name and attributes, in the order of the file.
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
}

impl Element {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str())
    }
}

/// All elements, or what is wrong and where.
pub fn elements(xml: &str) -> Result<Vec<Element>, String> {
    let mut elements = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut rest = xml.strip_prefix("<!DOCTYPE html>\n").unwrap_or(xml);
    let mut roots = 0;
    if let Some(character) = xml.chars().find(|character| !is_of_xml(*character)) {
        return Err(format!("{character:?} is not of XML"));
    }
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        words(text)?;
        if open.is_empty() && !text.trim().is_empty() {
            return Err(format!("words outside: {text:?}"));
        }
        let end = end_of_tag(tag)?;
        let inner = &tag[1..end];
        rest = &tag[end + 1..];
        if let Some(name) = inner.strip_prefix('/') {
            if open.pop().as_deref() != Some(name) {
                return Err(format!("</{name}> closes nothing"));
            }
            continue;
        }
        let (inner, is_closed) = inner.strip_suffix('/').map_or((inner, false), |inner| (inner, true));
        let element = element(inner)?;
        roots += usize::from(open.is_empty());
        if !is_closed {
            open.push(element.name.clone());
        }
        elements.push(element);
    }
    words(rest)?;
    match (open.is_empty(), roots, rest.trim().is_empty()) {
        (true, 1, true) => Ok(elements),
        _ => Err(format!("{open:?} left open, {roots} roots, {rest:?} at the end")),
    }
}

fn is_of_xml(character: char) -> bool {
    matches!(character, '\n' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        && !matches!(character, '\u{7f}'..='\u{9f}')
}

/// Where the tag's `>` is: none is within quotes, since it is escaped there, and no `<` either.
fn end_of_tag(tag: &str) -> Result<usize, String> {
    let end = tag.find('>').ok_or("a tag that has no end")?;
    match tag[1..end].contains('<') {
        true => Err(format!("a tag within a tag: {:?}", &tag[..end])),
        false => Ok(end),
    }
}

fn words(text: &str) -> Result<(), String> {
    for part in text.split('&').skip(1) {
        if !["amp;", "lt;", "gt;", "quot;", "#39;"].iter().any(|reference| part.starts_with(reference)) {
            return Err(format!(
                "an & that is no reference: {:?}",
                part.chars().take(20).collect::<String>()
            ));
        }
    }
    Ok(())
}

fn element(inner: &str) -> Result<Element, String> {
    let (name, mut rest) = inner.split_once(' ').unwrap_or((inner, ""));
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err(format!("no name of an element: {name:?}"));
    }
    let mut attributes: Vec<(String, String)> = Vec::new();
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").ok_or(format!("no attribute: {rest:?}"))?;
        let (value, after) = after.split_once('"').ok_or(format!("no end of the quotes: {rest:?}"))?;
        words(value)?;
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(format!("no name of an attribute: {name:?}"));
        }
        if attributes.iter().any(|(other, _)| other == name) {
            return Err(format!("{name} twice"));
        }
        attributes.push((name.into(), value.into()));
        rest = match after.strip_prefix(' ') {
            Some(after) if !after.is_empty() => after,
            None if after.is_empty() => after,
            _ => return Err(format!("no space between attributes: {inner:?}")),
        };
    }
    Ok(Element { name: name.into(), attributes })
}

#[test]
fn what_is_wrong_is_found() {
    for wrong in [
        "<a>",
        "<a></b>",
        "</a>",
        "<a/><b/>",
        "<a>&nbsp;</a>",
        "<a>&</a>",
        "<a b=c/>",
        "<a b=\"1\" b=\"2\"/>",
        "<a b=\"<\"/>",
        "<a>\u{8}</a>",
        "<a/>x",
        "x<a/>",
        "<a b=\"1\"c=\"2\"/>",
        "<a></a",
        "",
    ] {
        assert!(elements(wrong).is_err(), "{wrong}");
    }
    assert_eq!(elements("<!DOCTYPE html>\n<a b=\"1\" c-d=\"&amp;\">x&lt;<e/></a>\n").unwrap().len(), 2);
}
