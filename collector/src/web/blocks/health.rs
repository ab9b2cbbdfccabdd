//! The sensors' health: who is there, since when one is silent, and what nobody observed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{Seen, link, percent, second_of};
use crate::language::Language;
use crate::render::escape::xml;
use crate::store::{NANOSECONDS_OF_HOUR, Value, moment};
use crate::web::course::{Place, integer, name_of, seconds_of};
use crate::web::look::View;
use crate::web::observed::Absent;
use crate::web::topics::{HOURS_FROM, SENSORS, Topic, UPTIME};
use crate::web::words;
use crate::web::written::count;

const SECOND: u64 = 1_000_000_000;
/// A sensor is silent once it has been so for this long, and for three of its intervals.
const LEAST_SILENCE: u64 = 180 * SECOND;
const INTERVALS: u64 = 3;
/// Of an hour or a day; below it, it counts as observed in part.
const WHOLE: f64 = 0.99;
/// What stands for figures of hours that there are no sums of.
const UNKNOWN: &str = "–";
/// Gaps that are told in words.
const MOST_GAPS: usize = 3;

/// A sensor's last interval.
struct Last {
    sensor: String,
    end: u64,
    length: u64,
    packets: u64,
}

impl Last {
    fn read(row: &[Value]) -> Option<Self> {
        let [Value::Text(sensor), Value::Text(end), Value::Text(start), packets, _] = row else {
            return None;
        };
        let (end, start) = (moment(end).ok()?, moment(start).ok()?);
        let packets = integer(Some(packets)).unwrap_or(0);
        Some(Self { sensor: sensor.clone(), end, length: end.saturating_sub(start), packets })
    }

    fn silent_for(&self, now: u64) -> Option<u64> {
        let silence = now.saturating_sub(self.end);
        (silence > LEAST_SILENCE.max(self.length.saturating_mul(INTERVALS))).then_some(silence)
    }
}

/// A time in two units at most, such as `3 h 20 min`.
fn duration(nanoseconds: u64, language: Language) -> String {
    let minutes = nanoseconds / SECOND / 60;
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let [day, hour, minute] = match language {
        Language::English => [" d ", " h ", " min"],
        Language::Japanese => ["日", "時間", "分"],
    };
    let told = match (days, hours) {
        (0, 0) => format!("{minutes}{minute}"),
        (0, _) => format!("{hours}{hour}{minutes}{minute}"),
        _ => format!("{days}{day}{hours}{hour}"),
    };
    told.trim_end().to_owned()
}

pub fn write(seen: &Seen<'_>, html: &mut String) {
    seen.section(words::HEALTH, html, |entry, observed, html| {
        let Some(sensors) = entry.find(SENSORS) else { return };
        let view = View { period: seen.look.view.period, ..View::default() };
        let last: Vec<Last> = sensors.answer.rows.iter().filter_map(|row| Last::read(row)).collect();
        let places = entry.span.places();
        // Hours that nothing was ever summed up of say nothing of a sensor.
        let (unknown, places): (Vec<Place>, Vec<Place>) =
            places.into_iter().partition(|place| observed.no_hours(*place).is_some());
        if let Some(day) = unknown.first().and_then(|place| observed.no_hours(*place)) {
            let words = Absent::NoHours(day).words(|word| seen.word(word));
            let _infallible =
                write!(html, "<p class=\"note\">{}: {words}</p>", seen.word(words::UPTIME_STRIP));
        }
        let uptime = &observed.uptime;
        if last.is_empty() {
            let _infallible = write!(html, "<p class=\"empty\">{}</p>", seen.word(words::NO_SENSORS));
        } else {
            summary(seen, &last, html);
            table(seen, &last, uptime, &places, html);
            by_place(seen, &last, uptime, &places, html);
        }
        seen.behind(sensors, &view, html);
        for id in [UPTIME, HOURS_FROM] {
            if let Some(asked) = seen.observed.and_then(|observed| observed.find(id)) {
                seen.behind_of(Topic::Observed, asked, &view, html);
            }
        }
    });
}

/// How many of them there are, and what they see at present.
fn summary(seen: &Seen<'_>, last: &[Last], html: &mut String) {
    let reporting: Vec<&Last> = last.iter().filter(|one| one.silent_for(seen.now).is_none()).collect();
    let rate: f64 = reporting.iter().map(|one| rate(one)).sum();
    let _infallible = write!(
        html,
        "<ul class=\"summary\"><li>{}: <strong id=\"reporting\">{} / {}</strong></li><li>{} ({}): \
         <strong id=\"rate\">{rate:.1}</strong></li></ul>",
        seen.word(words::REPORTING),
        reporting.len(),
        last.len(),
        seen.word(words::RATE),
        seen.word(words::NOW),
    );
}

fn rate(last: &Last) -> f64 {
    if last.length == 0 { 0.0 } else { last.packets as f64 / (last.length as f64 / 1e9) }
}

type Uptime = BTreeMap<(Place, String), f64>;

/// What of an hour or day a sensor was counting, of the time that has passed. As long as it is not silent, what came after its
/// last interval is on its way.
fn share(seen: &Seen<'_>, uptime: &Uptime, place: Place, last: &Last) -> f64 {
    let seconds = uptime.get(&(place, last.sensor.clone())).copied().unwrap_or(0.0);
    let begin = place.0.start() + u64::from(place.1.unwrap_or(0)) * NANOSECONDS_OF_HOUR;
    let end = seen.now.min(begin + (seconds_of(seen.look.view.period) * 1e9) as u64);
    let is_there = last.silent_for(seen.now).is_none();
    let on_its_way = if is_there { end.saturating_sub(begin.max(last.end)) } else { 0 };
    let passed = end.saturating_sub(begin).max(1) as f64;
    ((seconds * 1e9 + on_its_way as f64) / passed).min(1.0)
}

fn is_whole(share: f64) -> bool {
    share >= WHOLE
}

fn table(seen: &Seen<'_>, last: &[Last], uptime: &Uptime, places: &[Place], html: &mut String) {
    let name = seen.topic.name();
    let _infallible = write!(
        html,
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-labelledby=\"{name}-title\"><table><thead><tr>"
    );
    for (word, class) in [
        (words::SENSOR, ""),
        (words::STATE, ""),
        (words::LAST_SEEN, ""),
        (words::RATE, " class=\"number\""),
        (words::UPTIME_STRIP, ""),
        (words::OBSERVED, " class=\"number\""),
        (words::GAPS, ""),
    ] {
        let _infallible = write!(html, "<th scope=\"col\"{class}>{}</th>", seen.word(word));
    }
    html.push_str("</tr></thead><tbody>");
    for (place, one) in last.iter().enumerate() {
        let view = View { sensor: Some(one.sensor.clone()), ..seen.look.view.clone() };
        let (class, state) = match one.silent_for(seen.now) {
            None => ("good", seen.word(words::REPORTING).to_owned()),
            Some(silence) => {
                let (silent, passed) = (seen.word(words::SILENT), duration(silence, seen.language));
                let word = seen.word(words::SILENT_FOR);
                // In Japanese, what has passed comes first.
                let is_english = seen.language == Language::English;
                (
                    "bad",
                    if is_english {
                        format!("{silent} {word} {passed}")
                    } else {
                        format!("{silent}（{passed}{word}）")
                    },
                )
            }
        };
        let shares: Vec<f64> = places.iter().map(|place| share(seen, uptime, *place, one)).collect();
        let seconds: f64 = places.iter().filter_map(|place| uptime.get(&(*place, one.sensor.clone()))).sum();
        let all = seen.now.saturating_sub(places.first().map_or(seen.now, |place| {
            place.0.start() + u64::from(place.1.unwrap_or(0)) * NANOSECONDS_OF_HOUR
        }));
        let observed = if all == 0 { 0.0 } else { (seconds / (all as f64 / 1e9)).min(1.0) };
        let is_known = !places.is_empty();
        let gaps = if is_known { gaps(seen, &shares, places) } else { UNKNOWN.into() };
        let observed = if is_known { percent(observed) } else { UNKNOWN.into() };
        let _infallible = write!(
            html,
            "<tr><th scope=\"row\">{}</th><td><span class=\"state {class}\">{state}</span></td>\
             <td class=\"time\">{}</td><td class=\"number\">{:.1}</td><td>",
            link(&format!("sensor-{place}"), &seen.look.at(view), &one.sensor),
            second_of(Some(&Value::Text(crate::store::utc(one.end)))),
            if class == "good" { rate(one) } else { 0.0 },
        );
        strip(seen, &one.sensor, &shares, html);
        let _infallible =
            write!(html, "</td><td class=\"number\">{}</td><td class=\"gaps\">{gaps}</td></tr>", observed);
    }
    html.push_str("</tbody></table></div>");
}

/// A field for each hour or day: filled, half filled, or open.
fn strip(seen: &Seen<'_>, sensor: &str, shares: &[f64], html: &mut String) {
    let width = shares.len() * 10;
    let whole = shares.iter().filter(|share| is_whole(**share));
    let _infallible = write!(
        html,
        "<svg class=\"strip\" viewBox=\"0 0 {width} 20\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}: {} {} {} {}\">",
        xml(sensor),
        seen.word(words::STRIP_FULL),
        whole.count(),
        seen.word(words::OF),
        shares.len()
    );
    for (place, share) in shares.iter().enumerate() {
        let x = place * 10;
        let (class, height) = match *share {
            share if is_whole(share) => ("full", 20.0),
            share if share > 0.0 => ("part", (share * 20.0).clamp(3.0, 17.0)),
            _ => ("none", 20.0),
        };
        let y = 20.0 - height;
        let _infallible = write!(
            html,
            "<rect class=\"{class}\" x=\"{}\" y=\"{y:.1}\" width=\"9\" height=\"{height:.1}\"/>",
            x
        );
    }
    html.push_str("</svg>");
}

/// The latest stretches that were not observed, in words.
fn gaps(seen: &Seen<'_>, shares: &[f64], places: &[Place]) -> String {
    let mut gaps: Vec<(usize, usize)> = Vec::new();
    for (place, share) in shares.iter().enumerate() {
        if *share > 0.0 {
            continue;
        }
        match gaps.last_mut() {
            Some((_, last)) if *last + 1 == place => *last = place,
            _ => gaps.push((place, place)),
        }
    }
    if gaps.is_empty() {
        return seen.word(words::NO_GAPS).into();
    }
    let told = gaps.iter().rev().take(MOST_GAPS).filter_map(|(first, last)| {
        let (from, to) = (name_of(*places.get(*first)?), name_of(*places.get(*last)?));
        Some(if from == to { from } else { format!("{from} – {to}") })
    });
    let mut words: Vec<String> = told.collect();
    if gaps.len() > MOST_GAPS {
        words.push(seen.word(words::MORE_GAPS).into());
    }
    words.join(", ")
}

/// What of each hour or day each sensor observed.
fn by_place(seen: &Seen<'_>, last: &[Last], uptime: &Uptime, places: &[Place], html: &mut String) {
    seen.open_table("health-table", seen.word(words::UPTIME_STRIP), html);
    let sensors: BTreeSet<&str> = last.iter().map(|one| one.sensor.as_str()).collect();
    let _infallible = write!(html, "<tr><th scope=\"col\">{}</th>", seen.word(words::TIME));
    for sensor in &sensors {
        let _infallible = write!(html, "<th scope=\"col\" class=\"number\">{}</th>", xml(sensor));
    }
    html.push_str("</tr></thead><tbody>");
    for place in places.iter().rev() {
        let _infallible = write!(html, "<tr><th scope=\"row\">{}</th>", name_of(*place));
        for sensor in &sensors {
            let seconds = uptime.get(&(*place, (*sensor).to_owned())).copied();
            let _infallible = match seconds.filter(|seconds| *seconds > 0.0) {
                Some(seconds) => {
                    write!(html, "<td class=\"number\">{} s</td>", count(seconds.round() as u64))
                }
                None => write!(html, "<td class=\"gap\">{}</td>", seen.word(words::NOT_OBSERVED)),
            };
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table></div></details>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sensor_is_silent_after_some_of_its_intervals() {
        let minute = 60 * SECOND;
        let last = |length| Last { sensor: "tokyo".into(), end: 1_000 * minute, length, packets: 600 };
        assert_eq!(last(minute).silent_for(1_003 * minute), None);
        assert_eq!(last(minute).silent_for(1_004 * minute), Some(4 * minute));
        assert_eq!(last(10 * minute).silent_for(1_030 * minute), None);
        // Its clock may be ahead.
        assert_eq!(last(minute).silent_for(999 * minute), None);
        assert!((rate(&last(minute)) - 10.0).abs() < 1e-9);
        assert_eq!(
            [59, 60, 3_720, 90_000].map(|s| duration(s * SECOND, Language::English)),
            ["0 min", "1 min", "1 h 2 min", "1 d 1 h"]
        );
    }
}
