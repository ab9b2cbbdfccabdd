//! What becomes of a batch, from its first header to its answer.

use std::collections::HashSet;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::{Semaphore, oneshot};
use wire::{Batch, Header, Name};

use super::answer::Answer;
use super::budget::{Budget, Full, Room};
use super::metrics::Counters;
use super::peer::Peer;
use super::rates::Rates;
use super::upload::{self, Pace, UploadError};
use crate::aside::{Aside, Kept, Reason};
use crate::config::Settings;
use crate::intake::{Accepted, Intake, IntakeError, Receipt, unix_nanoseconds};
use crate::logs::Quiet;
use crate::validate::{Fault, Refusal, Span, Validator, Word};

/// The sensor's clock when it sent a batch, in nanoseconds since the Unix epoch.
pub const SENT: &str = "apus-sent";

/// What is said to who should come again soon.
const SOON: Duration = Duration::from_secs(2);
/// What is said to who should come again when a person has done something.
const LATER: Duration = Duration::from_secs(60);

/// All that taking in batches needs.
pub struct Shared {
    pub settings: Settings,
    pub counters: Arc<Counters>,
    pub quiet: Quiet,
    sensors: Option<HashSet<String>>,
    intake: Arc<dyn Intake>,
    validator: Arc<Validator>,
    aside: Arc<Aside>,
    budget: Budget,
    rates: Rates,
    /// Batches that are looked at together.
    lookers: Arc<Semaphore>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Shared").field("waiting_bytes", &self.waiting_bytes()).finish_non_exhaustive()
    }
}

/// What became of a batch that was looked at.
enum Looked {
    Good(Box<Batch>),
    /// It would be refused, and it is stored: a person took it in.
    Stored(Name),
    Refused(Refusal),
}

impl Shared {
    pub fn new(
        settings: Settings,
        intake: Arc<dyn Intake>,
        validator: Validator,
        aside: Aside,
        counters: Arc<Counters>,
    ) -> Self {
        let limits = &settings.limits;
        Self {
            sensors: settings.sensors.clone().map(|sensors| sensors.into_iter().collect()),
            budget: Budget::new(limits.bytes_in_flight, limits.body_bytes),
            rates: Rates::new(limits),
            lookers: Arc::new(Semaphore::new(available_parallelism().map_or(2, usize::from).max(2))),
            intake,
            validator: Arc::new(validator),
            aside: Arc::new(aside),
            counters,
            quiet: Quiet::default(),
            settings,
        }
    }

    /// Bytes of batches that have come, and that the store has not answered for.
    pub fn waiting_bytes(&self) -> u64 {
        self.budget.taken()
    }

    /// Takes in a batch. Whatever is answered before the body has come is answered in vain to who does not read it
    /// before it has sent all; so a little more of it is read.
    pub async fn take(&self, peer: &Peer, headers: &HeaderMap, body: Body) -> Answer {
        let begin = Instant::now();
        let answer = match self.admit(peer, headers) {
            Err(answer) => {
                upload::discard(body).await;
                answer
            }
            Ok((length, sent, room)) => self.receive(peer, body, length, sent, room).await,
        };
        self.counters.answered(answer.status.as_u16(), begin.elapsed());
        answer
    }

    /// What can be said by the headers alone.
    fn admit(&self, peer: &Peer, headers: &HeaderMap) -> Result<(u64, Option<u64>, Room), Answer> {
        let Peer { sensor, .. } = peer;
        if self.sensors.as_ref().is_some_and(|sensors| !sensors.contains(&**sensor)) {
            self.warn(peer, || {
                "is not among the configured sensors: add it, or revoke its certificate".into()
            });
            let reason = format!("sensor {sensor:?} is not among those that this collector knows");
            return Err(Answer::failed(StatusCode::FORBIDDEN, "forbidden", reason));
        }
        if headers.get(CONTENT_TYPE).is_none_or(|kind| kind.as_bytes() != wire::CONTENT_TYPE.as_bytes()) {
            let reason = format!("the content type has to be {}", wire::CONTENT_TYPE);
            return Err(Answer::failed(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported", reason));
        }
        let number = |name: &str| headers.get(name).map(|value| value.to_str().ok()?.parse::<u64>().ok());
        let Some(Some(length)) = number(CONTENT_LENGTH.as_str()) else {
            let reason = "a batch comes with its content length";
            return Err(Answer::failed(StatusCode::LENGTH_REQUIRED, "length", reason));
        };
        let sent = match number(SENT) {
            Some(None) => {
                let reason = "header Apus-Sent is not a number of nanoseconds";
                return Err(Answer::failed(StatusCode::BAD_REQUEST, "request", reason));
            }
            Some(sent) => sent,
            None => None,
        };
        let most = self.settings.limits.body_bytes;
        if length > most {
            self.warn(peer, || format!("sent a batch of {length} bytes, limits.body_bytes is {most}"));
            let reason = format!("a batch of {length} bytes, at most {most} are taken");
            return Err(Answer::failed(StatusCode::PAYLOAD_TOO_LARGE, "too_large", reason));
        }
        self.rates.take(sensor, length, Instant::now()).map_err(|wait| {
            self.warn(peer, || format!("sends more than its limit allows, and is told to wait {wait:.1?}"));
            let reason = "more batches, or bytes, than one sensor may send in this time";
            Answer::later(StatusCode::TOO_MANY_REQUESTS, "slow_down", reason, wait)
        })?;
        let room = self.budget.take(sensor, length).map_err(|full| match full {
            Full::Sensor => {
                let reason = "more batches of this sensor are on their way than fit";
                Answer::later(StatusCode::TOO_MANY_REQUESTS, "slow_down", reason, SOON)
            }
            Full::All => {
                let reason = "more batches are on their way than fit into memory";
                Answer::later(StatusCode::SERVICE_UNAVAILABLE, "busy", reason, SOON)
            }
        })?;
        Ok((length, sent, room))
    }

    async fn receive(&self, peer: &Peer, body: Body, length: u64, sent: Option<u64>, room: Room) -> Answer {
        let pace = Pace { pause: self.settings.timeouts.body, rate: self.settings.limits.body_rate };
        let bytes = match upload::read(body, length, pace).await {
            Ok(bytes) => bytes,
            Err(error) => {
                self.warn(peer, || error.to_string());
                let status = match error {
                    UploadError::Slow { .. } => StatusCode::REQUEST_TIMEOUT,
                    UploadError::Ended { .. } => StatusCode::BAD_REQUEST,
                };
                return Answer::failed(status, "request", error.to_string());
            }
        };
        self.counters.bytes.add(length);
        let arrived = unix_nanoseconds();
        match self.look(peer, &bytes, arrived, room.turn()).await {
            Ok(Looked::Good(batch)) => {
                self.submit(peer, Accepted { batch: *batch, bytes, arrived, sent }, room).await
            }
            Ok(Looked::Stored(name)) => {
                self.counters.already.add(1);
                Answer::stored(&peer.sensor, name, true)
            }
            Ok(Looked::Refused(refusal)) => self.refuse(peer, bytes, &refusal, sent).await,
            Err(answer) => answer,
        }
    }

    /// Reads and checks a batch, where it stands in no other connection's way.
    async fn look(
        &self,
        peer: &Peer,
        bytes: &Bytes,
        arrived: u64,
        turn: Arc<Semaphore>,
    ) -> Result<Looked, Answer> {
        let ended =
            || Answer::later(StatusCode::SERVICE_UNAVAILABLE, "busy", "the collector is ending", SOON);
        // Of one sensor one at a time: however long that takes, others' are looked at beside it.
        let Ok(turn) = turn.acquire_owned().await else { return Err(ended()) };
        let Ok(permit) = Arc::clone(&self.lookers).acquire_owned().await else { return Err(ended()) };
        let (validator, bytes, sensor) =
            (Arc::clone(&self.validator), bytes.clone(), Arc::clone(&peer.sensor));
        let looking = tokio::task::spawn_blocking(move || {
            let looked = match validator.read(&bytes, Some(&sensor), arrived) {
                Ok(batch) => Looked::Good(Box::new(batch)),
                Err(refusal) => match refusal.name.filter(|_| validator.is_stored(&bytes, &refusal)) {
                    Some(name) => Looked::Stored(name),
                    None => Looked::Refused(refusal),
                },
            };
            drop((turn, permit));
            looked
        });
        looking.await.map_err(|_| ended())
    }

    /// Hands a batch to the store, and waits until it is safe.
    async fn submit(&self, peer: &Peer, accepted: Accepted, room: Room) -> Answer {
        let header = accepted.batch.header.clone();
        let (bytes, sent) = (accepted.bytes.clone(), accepted.sent);
        if !header.breaches.is_empty() {
            self.counters.admitted_breaches.add(1);
            self.warn(peer, || {
                let first = header.breaches.first().map_or("", String::as_str);
                format!("{}: it says itself that laws of conservation are broken: {first}", header.name())
            });
        }
        let (reply, replied) = oneshot::channel();
        let reply = Box::new(move |result| {
            // For as long as the store has the batch it takes its room, whether its sensor waits or not.
            drop(room);
            let _nobody_waits = reply.send(result);
        });
        self.intake.submit(accepted, reply);
        match tokio::time::timeout(self.settings.timeouts.answer, replied).await {
            Ok(Ok(Ok(receipt))) => self.stored(&header, receipt),
            Ok(Ok(Err(IntakeError::Conflict(reason)))) => {
                let refusal = Refusal::of(&header, Fault::Conflict(reason));
                self.refuse(peer, bytes, &refusal, sent).await
            }
            Ok(Ok(Err(IntakeError::Refused(reason)))) => {
                let refusal = Refusal::of(&header, Fault::Unstorable(reason));
                self.refuse(peer, bytes, &refusal, sent).await
            }
            Ok(Ok(Err(IntakeError::Busy { reason, retry_after }))) => {
                Answer::later(StatusCode::SERVICE_UNAVAILABLE, "busy", reason, retry_after)
            }
            Ok(Ok(Err(IntakeError::Failed(reason)))) => {
                self.quiet.warn("store", || format!("the store cannot commit: {reason}"));
                // Why is for this host's log: paths are nobody else's business.
                let reason = "the store cannot commit now";
                Answer::later(StatusCode::SERVICE_UNAVAILABLE, "busy", reason, LATER)
            }
            Ok(Err(_)) => {
                Answer::later(StatusCode::SERVICE_UNAVAILABLE, "busy", "the collector is ending", SOON)
            }
            Err(_) => {
                // It may be stored all the same: then it is there already when it comes again.
                let reason = "the store has not answered in time";
                self.quiet.warn("store", || reason.into());
                Answer::later(StatusCode::SERVICE_UNAVAILABLE, "busy", reason, LATER)
            }
        }
    }

    fn stored(&self, header: &Header, receipt: Receipt) -> Answer {
        let Receipt { already } = receipt;
        let counter = if already { &self.counters.already } else { &self.counters.stored };
        counter.add(1);
        self.validator.known().note(&header.sensor, Span::from(header));
        Answer::stored(&header.sensor, header.name(), already)
    }

    /// Keeps a batch for a person, where one can do something about it, and says what is wrong with it.
    async fn refuse(&self, peer: &Peer, bytes: Bytes, refusal: &Refusal, sent: Option<u64>) -> Answer {
        let word = refusal.fault.word();
        self.counters.refused[word as usize].add(1);
        let reason = crate::one_line(refusal);
        let status = match word {
            Word::Foreign => StatusCode::FORBIDDEN,
            Word::Version => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        // Of these two the sensor keeps its batch: not it is wrong, but its name or the collector's age.
        let kept = if status == StatusCode::UNPROCESSABLE_ENTITY {
            self.keep(peer, bytes, word, reason.clone(), sent).await
        } else {
            "its sensor keeps it".into()
        };
        self.warn(peer, || format!("refused ({}): {reason}; {kept}", word.name()));
        Answer::refused(status, word.name(), reason)
    }

    async fn keep(&self, peer: &Peer, bytes: Bytes, word: Word, reason: String, sent: Option<u64>) -> String {
        let (aside, peer) = (Arc::clone(&self.aside), peer.clone());
        let keeping = tokio::task::spawn_blocking(move || {
            let reason = Reason {
                arrived: Timestamp::now(),
                sensor: &peer.sensor,
                peer: peer.address.to_string(),
                word: word.name(),
                reason: &reason,
                sent,
            };
            aside.keep(&bytes, &reason)
        });
        match keeping.await {
            Ok(Ok(Kept::Now(path))) => {
                self.counters.kept_aside.add(1);
                format!("kept as {}", path.display())
            }
            Ok(Ok(Kept::Before)) => "kept before".into(),
            Ok(Ok(Kept::Nowhere)) => {
                self.counters.not_kept.add(1);
                "NOT KEPT: the folder aside is full; look through it and clean up".into()
            }
            Ok(Err(error)) => {
                self.counters.not_kept.add(1);
                format!("NOT KEPT: {error}")
            }
            Err(_) => {
                self.counters.not_kept.add(1);
                "NOT KEPT: the collector is ending".into()
            }
        }
    }

    fn warn(&self, peer: &Peer, line: impl FnOnce() -> String) {
        let Peer { address, sensor } = peer;
        self.quiet.warn(sensor, || format!("{address}, certificate of {sensor:?}: {}", line()));
    }
}
