//! Why a batch is refused, in a word for programs and in a sentence for people.

use std::fmt;

use wire::conservation::Breach;
use wire::{Batch, Header, Name, WireError};

use super::name::NameError;

macro_rules! words {
    ($($(#[$about:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// Kinds of refusal. Their names are part of the protocol, and never change their meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Word {
            $($(#[$about])* $variant),+
        }

        impl Word {
            /// All of them, each in the place of its number.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name in answers, in files kept aside, and in metrics.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }
        }
    };
}

words! {
    /// It is no batch, or one that is damaged or beyond the limits.
    Malformed = "malformed",
    /// It is of another version of the format.
    Version = "version",
    /// The sensor's name cannot be one.
    Sensor = "sensor",
    /// The certificate is another sensor's.
    Foreign = "foreign",
    /// The header contradicts itself, or has what no interval can have.
    Header = "header",
    /// Its counters break the laws of conservation, and it does not say so.
    Conservation = "conservation",
    /// Its flows are not what the header or the counters say.
    Flows = "flows",
    /// Its times cannot be.
    Time = "time",
    /// Its times and those of its neighbours cannot both be.
    Order = "order",
    /// Another interval of its name is stored.
    Conflict = "conflict",
}

/// What is wrong with a batch, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("{0}; the agent has to send it again, or it was damaged before it was sent")]
    Malformed(WireError),
    #[error(transparent)]
    Version(WireError),
    #[error("it makes the reader panic: please report it, with the batch")]
    Panic,
    #[error(transparent)]
    Sensor(#[from] NameError),
    #[error(
        "the batch is of sensor {sensor:?}, the certificate is of {certified:?}: configure the sensor's name as its \
         certificate has it, or issue it another one"
    )]
    Foreign { certified: String, sensor: String },
    #[error("{0}: the agent that made it is at fault")]
    Header(String),
    #[error("no store can hold it: {0}; the agent that made it is at fault")]
    Unstorable(String),
    #[error(
        "{0}, and the interval does not say so: counts are lost or made up; the agent that made it is at fault"
    )]
    Conservation(Breach),
    #[error("{0}: the flows are not this interval's, or the agent that made them is at fault")]
    Flows(String),
    #[error(
        "{0}: set the clock of whichever host is wrong; \"apus-collector import --trust-times\" takes it as it is"
    )]
    Time(String),
    #[error(
        "{0}: two sensors with one name, or a clock that was set back; \"apus-collector import --trust-times\" \
         takes it as it is"
    )]
    Order(String),
    #[error("{0}: two sensors with one name and epoch, or a batch that was changed; look at both")]
    Conflict(String),
}

impl From<Breach> for Fault {
    fn from(breach: Breach) -> Self {
        Self::Conservation(breach)
    }
}

impl Fault {
    #[must_use]
    pub const fn word(&self) -> Word {
        match self {
            Self::Malformed(_) | Self::Panic => Word::Malformed,
            Self::Version(_) => Word::Version,
            Self::Sensor(_) => Word::Sensor,
            Self::Foreign { .. } => Word::Foreign,
            Self::Header(_) | Self::Unstorable(_) => Word::Header,
            Self::Conservation(_) => Word::Conservation,
            Self::Flows(_) => Word::Flows,
            Self::Time(_) => Word::Time,
            Self::Order(_) => Word::Order,
            Self::Conflict(_) => Word::Conflict,
        }
    }
}

/// A batch that is refused.
#[derive(Debug, thiserror::Error)]
pub struct Refusal {
    /// The sensor, as the batch has it, or else the certificate.
    pub sensor: Option<String>,
    /// Which interval, where it could be read.
    pub name: Option<Name>,
    /// Bytes of its part with the counts, where it could be read.
    pub counts_length: Option<usize>,
    #[source]
    pub fault: Fault,
}

impl Refusal {
    /// Of a batch that could not be read.
    #[must_use]
    pub fn unread(certified: Option<&str>, fault: Fault) -> Self {
        Self { sensor: certified.map(str::to_owned), name: None, counts_length: None, fault }
    }

    /// Of a batch that could be read.
    #[must_use]
    pub fn of_batch(batch: &Batch, fault: Fault) -> Self {
        Self { counts_length: Some(batch.counts_length), ..Self::of(&batch.header, fault) }
    }

    /// Whether the very same may be stored all the same: it is its sensor's, and could be read, and a person may have
    /// vouched for it since.
    #[must_use]
    pub const fn may_be_stored(&self) -> bool {
        match self.fault.word() {
            Word::Malformed | Word::Version | Word::Sensor | Word::Foreign => false,
            Word::Header | Word::Conservation | Word::Flows | Word::Time | Word::Order | Word::Conflict => {
                true
            }
        }
    }

    /// Of a batch with this header.
    #[must_use]
    pub fn of(header: &Header, fault: Fault) -> Self {
        Self { sensor: Some(header.sensor.clone()), name: Some(header.name()), counts_length: None, fault }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sensor {
            // Debug form: whatever the name has in it, this is one line.
            Some(sensor) => write!(formatter, "sensor {:?}", sensor.chars().take(64).collect::<String>())?,
            None => write!(formatter, "a sensor that cannot be told")?,
        }
        if let Some(name) = self.name {
            write!(formatter, ", {name}")?;
        }
        write!(formatter, ": {}", self.fault)
    }
}
