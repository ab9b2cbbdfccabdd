//! `signature_split`: what bears a signature against what does not.

use super::Expected;
use super::sections::{Asked, is_scan_of, word};
use super::values::{Days, mean};
use crate::description::{Service, Signature};
use crate::plan::{Packet, Plan};
use crate::published::text;

/// A signature or a window, as sections name them.
enum Mark {
    Signature(Signature),
    Window(u16),
}

impl Mark {
    fn parse(text: &str) -> Result<Self, String> {
        let signatures = [Signature::Mirai, Signature::Zmap, Signature::Masscan];
        if let Some(window) = text.strip_prefix("window:").and_then(|window| window.parse().ok()) {
            return Ok(Self::Window(window));
        }
        let named = signatures.into_iter().find(|signature| signature.name() == text);
        named.map(Self::Signature).ok_or_else(|| format!("'{text}' is no signature"))
    }

    fn is_on(&self, plan: &Plan, packet: &Packet) -> bool {
        match self {
            Self::Signature(signature) => plan.stream(packet).signature == *signature,
            Self::Window(window) => plan.stream(packet).window == Some(*window),
        }
    }
}

/// With a signature and without it, from home and from abroad: packets in the first figure, sources in the second one.
pub fn split(plan: &Plan, asked: &Asked, port: Service) -> Result<Expected, String> {
    let mark = Mark::parse(&word(&asked.settings, "signature").ok_or("a signature is needed")?)?;
    let without = asked.settings.get("without").and_then(toml::Value::as_array);
    let without = without.into_iter().flatten().filter_map(toml::Value::as_str).map(Mark::parse);
    let without: Vec<Mark> = without.collect::<Result<_, _>>()?;
    let only_with = asked.settings.get("only_with").and_then(toml::Value::as_bool).unwrap_or(false);
    let days = Days::new(plan);
    let mut expected = Expected::default();
    for with in [true, false] {
        for is_home in [true, false] {
            if only_with && !with {
                continue;
            }
            let is_one = |packet: &Packet| {
                is_scan_of(plan, packet, port)
                    && mark.is_on(plan, packet) == with
                    && !without.iter().any(|mark| mark.is_on(plan, packet))
                    && plan.description.home.contains(&text(packet.region)) == is_home
            };
            let (kind, origin) =
                (if with { "with" } else { "without" }, if is_home { "home" } else { "abroad" });
            let (packets, sources) = (days.packets(is_one), days.sources(is_one));
            let at = format!("/{kind}/{origin}");
            expected.facts.push((format!("{at}/packets_per_sensor_per_day"), mean(&packets)));
            expected.facts.push((format!("{at}/sources_per_day"), mean(&sources)));
            expected.series.push((0, format!("{kind}-{origin}"), packets));
            expected.series.push((1, format!("{kind}-{origin}"), sources));
        }
    }
    Ok(expected)
}
