//! What the collector's answer means.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::StatusCode;
use serde::Deserialize;
use wire::Name;

use super::failure::{Failure, FailureKind};
use super::label::Label;

/// The longest answer that is read.
pub const LONGEST: usize = 64 << 10;
/// The longest pause that a collector can ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);
/// What is told of a collector's words.
const MOST_WORDS: usize = 300;

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The collector has exactly this interval; perhaps since an earlier attempt.
    Stored {
        already: bool,
    },
    /// The collector does not take this interval, for this reason; others it may.
    Refused(String),
    Failed(Failure),
}

/// The answers that are about an interval.
#[derive(Debug, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
enum Answer {
    Stored { already: bool, sensor: String, epoch: u64, first: u64, last: u64 },
    Refused { word: Option<String>, reason: String },
    TooLarge { reason: String },
    Unsupported { reason: String },
}

/// Judges an answer to this interval. Only one that names it, and says that it is stored, says so.
#[must_use]
pub fn judge(
    status: StatusCode,
    retry_after: Option<&str>,
    body: &[u8],
    name: &Name,
    label: Option<&Label>,
) -> Verdict {
    let failed = |kind, words: String| Verdict::Failed(Failure { kind, words, asked: None });
    match status {
        StatusCode::OK => match serde_json::from_slice(body) {
            Ok(Answer::Stored { already, sensor, epoch, first, last }) => {
                let stored = Name { epoch, first, last };
                if stored == *name && label.is_none_or(|label| label.sensor == sensor) {
                    return Verdict::Stored { already };
                }
                let words = format!(
                    "it answers that it has stored {stored} of sensor \"{}\", which is not what it was sent",
                    tidy(&sensor)
                );
                failed(FailureKind::Answer, words)
            }
            _ => failed(
                FailureKind::Answer,
                format!("it answers something that is no collector's answer: \"{}\"", excerpt(body)),
            ),
        },
        StatusCode::UNPROCESSABLE_ENTITY => match refusal(body) {
            Some(reason) => Verdict::Refused(reason),
            None => failed(
                FailureKind::Answer,
                format!("it refuses without the words of a collector: \"{}\"", excerpt(body)),
            ),
        },
        // Another sensor's interval, or of another version: this one cannot be stored, others can.
        StatusCode::FORBIDDEN | StatusCode::UNSUPPORTED_MEDIA_TYPE if let Some(reason) = refusal(body) => {
            Verdict::Refused(reason)
        }
        // Whoever says so, the collector or a proxy before it, says it of this interval.
        StatusCode::PAYLOAD_TOO_LARGE => {
            let reason = refusal(body).unwrap_or_else(|| format!("\"{}\"", excerpt(body)));
            Verdict::Refused(format!("it is too large ({status}): {reason}"))
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => failed(
            FailureKind::Unauthorized,
            format!(
                "it does not let this sensor in ({status}): its certificate has to bear the sensor's name; \"{}\"",
                excerpt(body)
            ),
        ),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            let asked = retry_after.and_then(pause);
            let words = format!("it asks for patience ({status}): \"{}\"", excerpt(body));
            Verdict::Failed(Failure { kind: FailureKind::Busy, words, asked })
        }
        _ if status.is_server_error() => failed(
            FailureKind::Server,
            format!("something is wrong with it ({status}): \"{}\"", excerpt(body)),
        ),
        _ => failed(
            FailureKind::Rejected,
            format!("it does not take what it is sent ({status}): \"{}\"", excerpt(body)),
        ),
    }
}

/// What a collector has against an interval, where that is what it says.
fn refusal(body: &[u8]) -> Option<String> {
    match serde_json::from_slice(body).ok()? {
        Answer::Stored { .. } => None,
        Answer::Refused { word: Some(word), reason } => Some(tidy(&format!("{word}: {reason}"))),
        Answer::Refused { word: None, reason }
        | Answer::TooLarge { reason }
        | Answer::Unsupported { reason } => Some(tidy(&reason)),
    }
}

/// The pause that a header Retry-After asks for: seconds, or a date (RFC 9110, 10.2.3).
fn pause(text: &str) -> Option<Duration> {
    let pause = match text.trim().parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date =
                rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text.trim()).ok()?;
            Duration::try_from(date.duration_since(Timestamp::now())).unwrap_or_default()
        }
    };
    Some(pause.min(LONGEST_PAUSE))
}

fn excerpt(body: &[u8]) -> String {
    tidy(&String::from_utf8_lossy(body))
}

/// Words from elsewhere, fit for one line of a log.
fn tidy(words: &str) -> String {
    let plain = |character: char| if character.is_control() { ' ' } else { character };
    let mut tidy: String = words.chars().take(MOST_WORDS).map(plain).collect();
    if words.chars().nth(MOST_WORDS).is_some() {
        tidy.push('…');
    }
    tidy.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: Name = Name { epoch: 7, first: 3, last: 4 };

    fn judged(status: u16, body: &str) -> Verdict {
        let label = Label { sensor: "s".into(), end: 0 };
        judge(StatusCode::from_u16(status).unwrap(), None, body.as_bytes(), &NAME, Some(&label))
    }

    fn kind(verdict: Verdict) -> Option<FailureKind> {
        match verdict {
            Verdict::Failed(failure) => Some(failure.kind),
            _ => None,
        }
    }

    fn stored(sensor: &str, epoch: u64, first: u64, last: u64) -> String {
        format!(
            r#"{{"answer":"stored","already":true,"sensor":"{sensor}","epoch":{epoch},"first":{first},"last":{last}}}"#
        )
    }

    #[test]
    fn only_this_interval_is_stored() {
        assert_eq!(judged(200, &stored("s", 7, 3, 4)), Verdict::Stored { already: true });
        for other in [stored("t", 7, 3, 4), stored("s", 8, 3, 4), stored("s", 7, 2, 4), stored("s", 7, 3, 3)]
        {
            assert_eq!(kind(judged(200, &other)), Some(FailureKind::Answer), "{other}");
        }
    }

    #[test]
    fn nothing_else_is() {
        let right = stored("s", 7, 3, 4);
        let half = &right[..right.len() - 1];
        let cases = [
            (200, "", FailureKind::Answer),
            (200, "OK", FailureKind::Answer),
            (200, half, FailureKind::Answer),
            (200, r#"{"answer":"refused","reason":"no"}"#, FailureKind::Answer),
            (200, r#"{"answer":"stored"}"#, FailureKind::Answer),
            (201, &right, FailureKind::Rejected),
            (204, "", FailureKind::Rejected),
            (302, &right, FailureKind::Rejected),
            (400, &right, FailureKind::Rejected),
            (401, "", FailureKind::Unauthorized),
            (403, &right, FailureKind::Unauthorized),
            (403, "", FailureKind::Unauthorized),
            (403, r#"{"answer":"forbidden","reason":"no such sensor"}"#, FailureKind::Unauthorized),
            (415, "<html>", FailureKind::Rejected),
            (415, &right, FailureKind::Rejected),
            (422, "<html>", FailureKind::Answer),
            (422, &right, FailureKind::Answer),
            (429, "", FailureKind::Busy),
            (500, &right, FailureKind::Server),
            (503, &right, FailureKind::Busy),
        ];
        for (status, body, expected) in cases {
            assert_eq!(kind(judged(status, body)), Some(expected), "{status} {body}");
        }
        let refused = r#"{"answer":"refused","reason":"flows are above\ntheir counter"}"#;
        assert_eq!(judged(422, refused), Verdict::Refused("flows are above their counter".into()));
    }

    #[test]
    fn what_is_against_this_interval_is_not_against_the_address() {
        let cases = [
            (
                403,
                r#"{"answer":"refused","word":"foreign","reason":"of \"osaka-1\""}"#,
                "foreign: of \"osaka-1\"",
            ),
            (415, r#"{"answer":"refused","word":"version","reason":"2, not 1"}"#, "version: 2, not 1"),
            (415, r#"{"answer":"unsupported","reason":"no batch"}"#, "no batch"),
            (
                413,
                r#"{"answer":"too_large","reason":"9 bytes"}"#,
                "it is too large (413 Payload Too Large): 9 bytes",
            ),
            (413, "a proxy", "it is too large (413 Payload Too Large): \"a proxy\""),
            (422, r#"{"answer":"refused","word":"time","reason":"late"}"#, "time: late"),
        ];
        for (status, body, reason) in cases {
            assert_eq!(judged(status, body), Verdict::Refused(reason.into()), "{status} {body}");
        }
    }

    #[test]
    fn patience_is_asked_for_in_seconds_or_by_date() {
        assert_eq!(pause("7"), Some(Duration::from_secs(7)));
        assert_eq!(pause("99999999"), Some(LONGEST_PAUSE));
        assert_eq!(pause("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert_eq!(pause("Wed, 21 Oct 2115 07:28:00 GMT"), Some(LONGEST_PAUSE));
        assert_eq!((pause("soon"), pause("-1"), pause("")), (None, None, None));
    }

    #[test]
    fn words_from_elsewhere_stay_on_their_line() {
        assert_eq!(tidy("a\u{1b}[31m\r\nb "), "a [31m  b");
        assert_eq!(tidy(&"x".repeat(1_000)).chars().count(), MOST_WORDS + 1);
    }
}
