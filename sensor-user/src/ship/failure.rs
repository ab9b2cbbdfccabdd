//! Why an interval is not stored yet, in kinds for metrics and words for people.

use std::error::Error;
use std::io;
use std::time::Duration;

use rustls::{AlertDescription, CertificateError, Error as TlsError};

/// What kind of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// No connection: no name, no route, nothing that listens.
    Unreachable,
    /// No agreement on TLS, or on a certificate.
    Tls,
    Timeout,
    /// The connection ended before the answer did.
    CutOff,
    /// 401, or 403 of the sensor as a whole.
    Unauthorized,
    /// 429 or 503.
    Busy,
    /// Another 5xx.
    Server,
    /// Any other status.
    Rejected,
    /// No collector's answer, or one about another interval.
    Answer,
    /// The collector does not take this interval: 422, 413, or 403 or 415 with its words about it.
    Refused,
    /// The spool cannot give the interval, or note what became of it.
    Spool,
}

impl FailureKind {
    pub const ALL: [Self; 11] = [
        Self::Unreachable,
        Self::Tls,
        Self::Timeout,
        Self::CutOff,
        Self::Unauthorized,
        Self::Busy,
        Self::Server,
        Self::Rejected,
        Self::Answer,
        Self::Refused,
        Self::Spool,
    ];

    /// Its name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::CutOff => "cut_off",
            Self::Unauthorized => "unauthorized",
            Self::Busy => "busy",
            Self::Server => "server_error",
            Self::Rejected => "rejected",
            Self::Answer => "bad_answer",
            Self::Refused => "refused",
            Self::Spool => "spool",
        }
    }

    /// Whether it may be this interval's doing. Then it rests, and does not stand in the way of those behind it.
    #[must_use]
    pub const fn may_be_the_intervals(self) -> bool {
        !matches!(self, Self::Unreachable | Self::Tls | Self::Busy)
    }
}

/// A failure, in words that follow the collector's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    pub words: String,
    /// The pause that the collector has asked for.
    pub asked: Option<Duration>,
}

impl Failure {
    /// What went wrong with a request.
    #[must_use]
    pub fn of(error: &reqwest::Error) -> Self {
        let (kind, words) = if let Some(tls) = tls_error(error) {
            (FailureKind::Tls, tls_words(tls))
        } else if error.is_timeout() {
            let what = if error.is_connect() { "cannot be reached" } else { "does not answer" };
            (FailureKind::Timeout, format!("it {what} in time"))
        } else if error.is_connect() {
            (FailureKind::Unreachable, format!("it cannot be reached: {}", innermost(error)))
        } else {
            (FailureKind::CutOff, format!("the connection broke before its answer: {}", innermost(error)))
        };
        Self { kind, words, asked: None }
    }
}

/// The cause of all causes: those before it say where, which is known.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

/// What TLS has against it. An I/O error does not give what it wraps as its source, but that one's.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a TlsError> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref() {
            return Some(tls);
        }
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = wrapped.map(|wrapped| wrapped as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}

fn tls_words(error: &TlsError) -> String {
    let known = match error {
        TlsError::AlertReceived(alert) => return alert_words(*alert),
        TlsError::InvalidCertificate(certificate) => match certificate {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has expired (certificate expired), unless this host's clock is wrong"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet: one of the two clocks is wrong"
            }
            CertificateError::UnknownIssuer => {
                "its certificate is not of the configured authority (unknown CA): see [ship] ca"
            }
            CertificateError::Revoked => "its certificate is revoked (certificate revoked)",
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                return format!("its certificate is for another name: {error}");
            }
            _ => return format!("its certificate is not accepted: {error}"),
        },
        TlsError::PeerIncompatible(_) => {
            return format!("it does not speak TLS 1.3 as it is spoken here: {error}");
        }
        _ => return format!("no TLS connection comes about: {error}"),
    };
    known.to_owned()
}

/// What an alert from the other side means here.
fn alert_words(alert: AlertDescription) -> String {
    let meaning = match alert {
        AlertDescription::CertificateExpired => {
            "it says that this sensor's certificate has expired (certificate expired): renew it, or look at the clocks"
        }
        AlertDescription::UnknownCA => {
            "it does not know the authority of this sensor's certificate (unknown CA): get one from its own"
        }
        AlertDescription::CertificateRevoked => {
            "it says that this sensor's certificate is revoked (certificate revoked): get another one"
        }
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
            "it asks for a certificate of this sensor and has got none (certificate required)"
        }
        AlertDescription::ProtocolVersion => "it does not speak TLS 1.3 (protocol version)",
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::AccessDenied
        | AlertDescription::DecryptError => {
            return format!("it does not accept this sensor's certificate (TLS alert {alert:?})");
        }
        _ => return format!("it ends the handshake (TLS alert {alert:?})"),
    };
    meaning.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tls_says_is_found_in_whatever_wraps_it() {
        let alert = TlsError::AlertReceived(AlertDescription::UnknownCA);
        let inner = io::Error::new(io::ErrorKind::InvalidData, alert.clone());
        let outer = io::Error::other(inner);
        assert_eq!(tls_error(&outer), Some(&alert));
        assert_eq!(tls_error(&io::Error::other("something else")), None);
    }

    #[test]
    fn alerts_are_told_in_words() {
        let cases = [
            (AlertDescription::CertificateExpired, "certificate expired"),
            (AlertDescription::UnknownCA, "unknown CA"),
            (AlertDescription::CertificateRevoked, "certificate revoked"),
            (AlertDescription::ProtocolVersion, "TLS 1.3"),
            (AlertDescription::BadCertificate, "BadCertificate"),
            (AlertDescription::InternalError, "InternalError"),
        ];
        for (alert, words) in cases {
            assert!(alert_words(alert).contains(words), "{alert:?}");
        }
    }

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        let mut names = FailureKind::ALL.map(FailureKind::name).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FailureKind::ALL.len());
    }
}
