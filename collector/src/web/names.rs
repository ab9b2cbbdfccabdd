//! Names of ports, regions and classes, as people know them.

use crate::language::{Language, Text};
use crate::store::{FacetValue, Service, region_code};

use super::words;

/// The registered name of a protocol's port.
type ServiceName = dyn Fn(u8, u16) -> Option<String> + Send + Sync;
/// The name of a region, by its code.
type RegionName = dyn Fn([u8; 2]) -> Option<Text> + Send + Sync;

/// Where names are from.
pub struct Names {
    pub services: Box<ServiceName>,
    pub regions: Box<RegionName>,
}

impl Default for Names {
    /// No names: numbers and codes stand for themselves.
    fn default() -> Self {
        Self { services: Box::new(|_, _| None), regions: Box::new(|_| None) }
    }
}

impl Names {
    /// The registered name of a service, where it has one.
    pub fn service(&self, service: &Service) -> Option<String> {
        (self.services)(service.protocol, service.port?)
    }

    /// A value as people read it, in one line.
    pub fn of(&self, value: &FacetValue, language: Language) -> String {
        match value {
            FacetValue::Service(service) => number(service),
            FacetValue::Region(code) => self.region(*code, language),
            FacetValue::Class(name) => class(name, language).to_owned(),
            FacetValue::Signatures(text) if text.is_empty() => words::NO_SIGNATURE.of(language).to_owned(),
            FacetValue::Signatures(text) | FacetValue::Sensor(text) => text.clone(),
        }
    }

    /// Such as `NL Netherlands`.
    pub fn region(&self, code: [u8; 2], language: Language) -> String {
        let letters = region_code(code);
        let name = match &code {
            b"ZZ" => Some(words::UNKNOWN_REGION.of(language).to_owned()),
            _ => (self.regions)(code).map(|name| name.of(language).to_owned()),
        };
        name.map_or_else(|| letters.clone(), |name| format!("{letters} {name}"))
    }
}

/// Such as `23/TCP`.
pub fn number(service: &Service) -> String {
    let protocol = service.protocol_name().map_or_else(
        || format!("IP {}", service.protocol),
        |name| if name == "icmp6" { "ICMPv6".into() } else { name.to_uppercase() },
    );
    match (service.port, service.icmp_type) {
        (Some(port), _) => format!("{port}/{protocol}"),
        (None, Some(icmp_type)) => format!("{protocol} {icmp_type}"),
        (None, None) => protocol,
    }
}

/// A class of traffic, by its name in the store.
pub fn class(name: &str, language: Language) -> &str {
    let ours = match name {
        "scan" => ("scan", "スキャン"),
        "backscatter_syn_ack" => ("backscatter, SYN-ACK", "バックスキャッター (SYN-ACK)"),
        "backscatter_rst" => ("backscatter, RST", "バックスキャッター (RST)"),
        "backscatter" => ("backscatter, other", "バックスキャッター (その他)"),
        "other" => ("other", "その他"),
        "fragment" => ("fragment", "フラグメント"),
        _ => return name,
    };
    match language {
        Language::English => ours.0,
        Language::Japanese => ours.1,
    }
}

#[cfg(test)]
mod tests {
    use sensor_ebpf::abi::TrafficClass;

    use super::*;

    #[test]
    fn every_class_has_words_in_japanese() {
        for each in TrafficClass::ALL {
            assert!(!class(each.name(), Language::Japanese).is_ascii(), "{}", each.name());
        }
    }

    #[test]
    fn values_are_what_people_know_them_by() {
        let names = Names {
            services: Box::new(|protocol, port| ((protocol, port) == (6, 23)).then(|| "telnet".into())),
            regions: Box::new(|code| (&code == b"NL").then(|| Text::new("Netherlands", "オランダ"))),
        };
        let service = |text: &str| text.parse::<Service>().unwrap();
        let shown = ["tcp-23", "icmp-type8", "icmp6-type128", "ip47"].map(|text| number(&service(text)));
        assert_eq!(shown, ["23/TCP", "ICMP 8", "ICMPv6 128", "IP 47"]);
        assert_eq!(names.service(&service("tcp-23")).as_deref(), Some("telnet"));
        assert_eq!(names.service(&service("udp-23")), None);
        assert_eq!(names.region(*b"NL", Language::Japanese), "NL オランダ");
        assert_eq!(names.region(*b"XX", Language::English), "XX");
        assert_eq!(names.region(*b"ZZ", Language::English), "ZZ unknown");
        assert_eq!(names.of(&FacetValue::Signatures(String::new()), Language::English), "none");
    }
}
