//! What a view is made of: topics, each with the questions that the store is asked for it.

use std::time::Duration;

use super::look::{Period, View};
use crate::store::{Answer, Facet, FacetValue, Question, Reader, Service, StoreError, Value};

/// Values in a table, and of those in a figure.
pub const RANKED: u32 = 10;
pub const DRAWN: usize = 6;
/// Sources in a table.
pub const LISTED: u32 = 50;

/// A part of a view that is worked out by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    Health,
    Packets(Facet),
    SourceCount,
    SourceList,
    /// What was observed at all, which the other topics' figures need.
    Observed,
}

/// What is asked, of which the answers are kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub topic: Topic,
    pub view: View,
}

/// How long an answer takes on a large store: those who wait for short ones do not wait behind long ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Light,
    Middle,
    Heavy,
}

impl Weight {
    pub const ALL: [Self; 3] = [Self::Light, Self::Middle, Self::Heavy];

    /// Its name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Middle => "middle",
            Self::Heavy => "heavy",
        }
    }

    /// The longest that one question may take.
    pub const fn within(self) -> Duration {
        match self {
            Self::Light => Duration::from_secs(60),
            Self::Middle => Duration::from_secs(300),
            Self::Heavy => Duration::from_secs(1800),
        }
    }
}

/// A question that was asked, and its answer.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Names it within its topic, and its file.
    pub id: &'static str,
    pub sql: String,
    pub answer: Answer,
}

/// The names of questions.
pub const UPTIME: &str = "uptime";
pub const BESIDE_FLOWS: &str = "beside-flows";
pub const HOURS_FROM: &str = "hours-from";
pub const SENSORS: &str = "last-intervals";
pub const RANKING: &str = "ranking";
pub const COURSE: &str = "over-time";
pub const COUNT: &str = "count";
pub const BY_DAY: &str = "by-day";
pub const LIST: &str = "list";

impl Topic {
    /// The page's sections.
    pub const ALL: [Self; 8] = [
        Self::Health,
        Self::Packets(Facet::Service),
        Self::Packets(Facet::Region),
        Self::Packets(Facet::Class),
        Self::Packets(Facet::Signatures),
        Self::Packets(Facet::Sensor),
        Self::SourceCount,
        Self::SourceList,
    ];

    /// Its name in addresses, and its place on the page.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Packets(Facet::Service) => "services",
            Self::Packets(Facet::Region) => "regions",
            Self::Packets(Facet::Class) => "classes",
            Self::Packets(Facet::Signatures) => "signatures",
            Self::Packets(Facet::Sensor) => "sensors",
            Self::SourceCount => "sources",
            Self::SourceList => "source-list",
            Self::Observed => "observed",
        }
    }

    /// The topic of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().chain([Self::Observed]).find(|topic| topic.name() == name)
    }

    /// How long it may take on a large store.
    pub const fn weight(self, period: Period) -> Weight {
        match (self, period) {
            (Self::Health, _)
            | (Self::Observed, Period::Day | Period::Week)
            | (Self::Packets(_), Period::Day) => Weight::Light,
            // Every interval of the period is looked at; and no section is shown without it.
            (Self::Observed, Period::Quarter) | (Self::Packets(_), Period::Week) | (_, Period::Day) => {
                Weight::Middle
            }
            _ => Weight::Heavy,
        }
    }
}

impl Key {
    pub fn new(topic: Topic, view: &View) -> Self {
        let mut view = view.clone();
        match topic {
            // Of everybody's last interval, whatever is looked at.
            Topic::Health => view = View { period: view.period, ..View::default() },
            Topic::SourceCount | Topic::SourceList => view.sensor = None,
            Topic::Observed => {
                view = View { period: view.period, sensor: view.sensor, ..View::default() };
            }
            Topic::Packets(_) => {}
        }
        Self { topic, view }
    }

    pub const fn weight(&self) -> Weight {
        self.topic.weight(self.view.period)
    }

    /// Asks all of it, as of a moment.
    pub fn ask(&self, reader: &mut dyn Reader, now: u64) -> Result<Vec<Asked>, StoreError> {
        let slice = self.view.slice(now);
        let within = self.weight().within();
        let mut ask = |id: &'static str, question: &Question| {
            let answer = reader.answer(question, within)?;
            Ok::<_, StoreError>(Asked { id, sql: reader.sql_of(question), answer })
        };
        Ok(match self.topic {
            Topic::Health => vec![ask(SENSORS, &Question::LastIntervals)?],
            Topic::Observed => {
                let (span, sensor) = (slice.span, slice.sensor);
                let mut asked = vec![
                    ask(UPTIME, &Question::Uptime { span, sensor: sensor.clone() })?,
                    ask(BESIDE_FLOWS, &Question::BesideFlows { span, sensor })?,
                ];
                if self.view.period == Period::Day {
                    asked.push(ask(HOURS_FROM, &Question::HoursFrom)?);
                }
                asked
            }
            Topic::Packets(facet) => {
                let ranking = ask(RANKING, &Question::Ranking { slice: slice.clone(), facet, most: RANKED })?;
                let values: Vec<_> =
                    ranking.answer.rows.iter().take(DRAWN).filter_map(|row| value(facet, row)).collect();
                let course = ask(COURSE, &Question::Course { slice: slice.clone(), facet, values })?;
                vec![ranking, course]
            }
            Topic::SourceCount => {
                let mut asked = vec![ask(COUNT, &Question::SourceCount(slice.clone()))?];
                if self.view.period != Period::Day {
                    asked.push(ask(BY_DAY, &Question::SourcesByDay(slice.clone()))?);
                }
                asked
            }
            Topic::SourceList => {
                vec![ask(LIST, &Question::TopSources { slice: slice.clone(), most: LISTED })?]
            }
        })
    }
}

/// How many columns a facet's value has.
pub const fn width(facet: Facet) -> usize {
    match facet {
        Facet::Service => 3,
        _ => 1,
    }
}

/// The facet's value that a row begins with.
pub fn value(facet: Facet, row: &[Value]) -> Option<FacetValue> {
    let text = || match row.first() {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let number = |column: usize| match row.get(column) {
        Some(Value::Integer(number)) => Some(*number),
        _ => None,
    };
    Some(match facet {
        Facet::Service => FacetValue::Service(Service {
            protocol: u8::try_from(number(0)?).ok()?,
            port: number(1).and_then(|port| u16::try_from(port).ok()),
            icmp_type: number(2).and_then(|icmp_type| u8::try_from(icmp_type).ok()),
        }),
        Facet::Region => FacetValue::Region(text()?.as_bytes().try_into().ok()?),
        Facet::Class => FacetValue::Class(text()?),
        Facet::Signatures => FacetValue::Signatures(text()?),
        Facet::Sensor => FacetValue::Sensor(text()?),
    })
}
