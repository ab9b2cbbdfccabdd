//! What a person looks at, as the page's address says it: every view has an address of its own.

use std::fmt::Write as _;

use sensor_ebpf::abi::TrafficClass;

use super::written::encoded;
use crate::language::Language;
use crate::store::{Day, FacetValue, Hour, Service, Slice, Span, read_region, region_code};

/// How far back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Period {
    #[default]
    Day,
    Week,
    Quarter,
}

impl Period {
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Quarter];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Quarter => "90d",
        }
    }

    /// Its hours or days, which end with the present one.
    pub fn span(self, now: u64) -> Span {
        match self {
            Self::Day => {
                let Hour(hour) = Hour::of(now);
                Span::Hours(Hour(hour.saturating_sub(23)), Hour(hour))
            }
            Self::Week => Span::Days(Day::of(now).before(6), Day::of(now)),
            Self::Quarter => Span::Days(Day::of(now).before(89), Day::of(now)),
        }
    }
}

/// What is looked at, whatever the time is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct View {
    pub period: Period,
    pub sensor: Option<String>,
    pub service: Option<Service>,
    pub region: Option<[u8; 2]>,
    pub class: Option<TrafficClass>,
    pub signatures: Option<String>,
}

impl View {
    pub fn slice(&self, now: u64) -> Slice {
        let Self { period, sensor, service, region, class, signatures } = self.clone();
        Slice { span: period.span(now), sensor, service, region, class, signatures }
    }

    /// The same, narrowed down to a value.
    pub fn with(&self, value: &FacetValue) -> Self {
        let mut view = self.clone();
        match value {
            FacetValue::Service(service) => view.service = Some(*service),
            FacetValue::Region(region) => view.region = Some(*region),
            FacetValue::Class(name) => {
                view.class = TrafficClass::ALL.into_iter().find(|class| class.name() == name);
            }
            FacetValue::Signatures(text) => view.signatures = Some(text.clone()),
            FacetValue::Sensor(name) => view.sensor = Some(name.clone()),
        }
        view
    }
}

/// A view, and the language that was asked for in the address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    pub view: View,
    pub language: Option<Language>,
}

/// The longest name that a sensor can have is of 64 characters; no other word is longer.
const LONGEST: usize = 256;
/// How an address says that packets have no signature.
const NO_SIGNATURE: &str = "none";

/// Why an address is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}={value}: {expected}")]
pub struct LookError {
    key: String,
    value: String,
    expected: &'static str,
}

impl Look {
    /// Reads the part of an address behind the question mark.
    ///
    /// # Errors
    /// Where it says something that cannot be looked at.
    pub fn read(query: &str) -> Result<Self, LookError> {
        let mut look = Self::default();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let wrong = |expected| LookError { key: decoded(key), value: decoded(value), expected };
            let value = decoded(value);
            if value.len() > LONGEST {
                return Err(LookError {
                    key: decoded(key),
                    value: "...".into(),
                    expected: "no word is so long",
                });
            }
            let view = &mut look.view;
            match key {
                "period" => {
                    view.period = Period::ALL
                        .into_iter()
                        .find(|period| period.name() == value)
                        .ok_or_else(|| wrong("periods are 24h, 7d and 90d"))?;
                }
                "sensor" if !value.is_empty() => view.sensor = Some(value),
                "service" => {
                    let service =
                        value.parse().map_err(|()| wrong("a service is such as tcp-23 or icmp-type8"))?;
                    view.service = Some(service);
                }
                "region" => {
                    let code = read_region(&value).filter(|code| code.as_slice() == value.as_bytes());
                    view.region =
                        Some(code.ok_or_else(|| wrong("a region is two capital letters, such as NL"))?);
                }
                "class" => {
                    let class = TrafficClass::ALL.into_iter().find(|class| class.name() == value);
                    view.class = Some(class.ok_or_else(|| wrong("there is no such class of traffic"))?);
                }
                "signature" => {
                    let of_ours =
                        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'+';
                    if value.is_empty() || !value.bytes().all(of_ours) {
                        return Err(wrong("signatures are such as mirai, mirai+zmap, or none"));
                    }
                    view.signatures = Some(if value == NO_SIGNATURE { String::new() } else { value });
                }
                "lang" => {
                    let language = Language::ALL.into_iter().find(|language| language.code() == value);
                    look.language = Some(language.ok_or_else(|| wrong("languages are en and ja"))?);
                }
                _ => return Err(wrong("the page knows no such key")),
            }
        }
        Ok(look)
    }

    /// The part of its address behind the question mark, with it; nothing where there is none.
    pub fn query(&self) -> String {
        let View { period, sensor, service, region, class, signatures } = &self.view;
        let mut query = String::new();
        let mut add = |key: &str, value: &str| {
            let mark = if query.is_empty() { '?' } else { '&' };
            let _infallible = write!(query, "{mark}{key}={}", encoded(value));
        };
        if *period != Period::default() {
            add("period", period.name());
        }
        if let Some(service) = service {
            add("service", &service.to_string());
        }
        if let Some(region) = region {
            add("region", &region_code(*region));
        }
        if let Some(class) = class {
            add("class", class.name());
        }
        if let Some(signatures) = signatures {
            add("signature", if signatures.is_empty() { NO_SIGNATURE } else { signatures });
        }
        if let Some(sensor) = sensor {
            add("sensor", sensor);
        }
        if let Some(language) = self.language {
            add("lang", language.code());
        }
        query
    }

    /// The page's address with another view.
    pub fn at(&self, view: View) -> String {
        format!("/{}", Self { view, language: self.language }.query())
    }
}

/// A part of a query, decoded; what is no UTF-8 is replaced.
pub fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes().iter();
    while let Some(&byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = rest.as_slice().get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
                let number = digits
                    .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
                    .and_then(|digits| u8::from_str_radix(digits, 16).ok());
                match number {
                    Some(number) => {
                        bytes.push(number);
                        let _both_digits = rest.nth(1);
                    }
                    None => bytes.push(byte),
                }
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_all_of_a_view_and_back() {
        let view = View {
            period: Period::Week,
            sensor: Some("tokyo '1' & <b>日本".into()),
            service: "tcp-23".parse().ok(),
            region: Some(*b"NL"),
            class: Some(TrafficClass::Scan),
            signatures: Some(String::new()),
        };
        let look = Look { view, language: Some(Language::Japanese) };
        let query = look.query();
        assert_eq!(Look::read(query.strip_prefix('?').unwrap()), Ok(look));
        assert_eq!(Look::read(""), Ok(Look::default()));
        assert_eq!(Look::default().query(), "");
        assert!(Look::read("signature=mirai%2Bzmap").unwrap().query().contains("mirai%2Bzmap"));
    }

    #[test]
    fn what_cannot_be_looked_at_is_told() {
        for (query, words) in [
            ("period=1y", "period=1y: periods are"),
            ("service=telnet", "tcp-23"),
            ("region=nl", "two capital letters"),
            ("region=%E6%97", "two capital"),
            ("class=x", "no such class"),
            ("signature=' OR 1", "signatures are"),
            ("lang=fr", "en and ja"),
            ("colour=red", "no such key"),
            ("sensor", "no such key"),
            (&format!("sensor={}", "x".repeat(300)), "so long"),
        ] {
            let error = Look::read(query).unwrap_err().to_string();
            assert!(error.contains(words), "{query}: {error}");
        }
        for text in ["%", "%4", "%zz", "%+1"] {
            assert!(!decoded(text).is_empty(), "{text}");
        }
    }
}
