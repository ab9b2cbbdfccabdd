//! Who failed to show a certificate, and why.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    AlertDescription, CertificateError, DigitallySignedStruct, DistinguishedName, Error, InvalidMessage,
    PeerIncompatible, SignatureScheme,
};

use super::peer::sensor_of;

tokio::task_local! {
    /// The name in the certificate that the handshake which is under way was shown, and refused.
    pub static REFUSED: RefCell<Option<String>>;
}

/// Asks another verifier, and remembers whom it refused.
#[derive(Debug)]
pub struct Naming(Arc<dyn ClientCertVerifier>);

impl Naming {
    pub fn new(verifier: Arc<dyn ClientCertVerifier>) -> Self {
        Self(verifier)
    }
}

impl ClientCertVerifier for Naming {
    fn offer_client_auth(&self) -> bool {
        self.0.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.0.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.0.verify_client_cert(end_entity, intermediates, now).inspect_err(|_| {
            let name = sensor_of(end_entity).ok();
            let _not_in_a_handshake = REFUSED.try_with(|refused| *refused.borrow_mut() = name);
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

macro_rules! failures {
    ($($variant:ident = $name:literal $text:literal),+ $(,)?) => {
        /// Why there is no connection.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Failure {
            $($variant),+
        }

        impl Failure {
            /// All of them, each in the place of its number.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name in metrics.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }

            /// What it means, and what to do about it.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }
        }
    };
}

failures! {
    Full = "full" "no room for another connection: raise limits.connections",
    Timeout = "timeout" "no handshake in time",
    PushedOut = "pushed_out" "other connections needed the place before it had shown a certificate",
    Ended = "ended" "it ended in the handshake",
    NotTls = "not_tls" "it does not speak TLS",
    OldTls = "old_tls" "it knows no TLS 1.3",
    NoCertificate = "no_certificate" "it showed no certificate: issue it one",
    Expired = "expired" "its certificate has expired: issue it another one",
    NotYetValid = "not_yet_valid" "its certificate does not hold yet: compare the clocks",
    Revoked = "revoked" "its certificate was revoked",
    UnknownIssuer = "unknown_issuer" "its certificate is of a CA that is not among those that are named",
    UnknownRevocation = "unknown_revocation" "no list of revoked certificates is of its certificate's CA",
    Purpose = "purpose" "its certificate is not for clients",
    Name = "name" "its certificate names no sensor",
    PeerRefused = "peer_refused" "it refused this collector's certificate",
    Other = "other" "the handshake failed",
}

impl Failure {
    /// Whether it is about the certificate that was shown, or was not: an operator's matter, and no passer-by's.
    pub const fn is_of_certificate(self) -> bool {
        match self {
            Self::NoCertificate
            | Self::Expired
            | Self::NotYetValid
            | Self::Revoked
            | Self::UnknownIssuer
            | Self::UnknownRevocation
            | Self::Purpose
            | Self::Name => true,
            Self::Full
            | Self::Timeout
            | Self::PushedOut
            | Self::Ended
            | Self::NotTls
            | Self::OldTls
            | Self::PeerRefused
            | Self::Other => false,
        }
    }

    /// Says that there is no connection with an address, whose certificate it was shown where that is known, and why.
    pub fn line(self, address: SocketAddr, name: Option<&str>, detail: &str) -> String {
        let who = name.map(|name| format!(", with a certificate of {name:?}")).unwrap_or_default();
        let detail = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
        format!("no connection with {address}{who}: {}{detail}", self.text())
    }

    /// Which it is.
    pub fn of(error: &io::Error) -> Self {
        let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else {
            return Self::Ended;
        };
        match tls {
            Error::NoCertificatesPresented => Self::NoCertificate,
            Error::InvalidMessage(
                InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
            ) => Self::NotTls,
            Error::PeerIncompatible(
                PeerIncompatible::SupportedVersionsExtensionRequired
                | PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
                | PeerIncompatible::Tls12NotOfferedOrEnabled,
            ) => Self::OldTls,
            Error::InvalidCertificate(error) => match error {
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    Self::NotYetValid
                }
                CertificateError::Revoked => Self::Revoked,
                CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::UnknownIssuer,
                CertificateError::UnknownRevocationStatus => Self::UnknownRevocation,
                CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                    Self::Purpose
                }
                _ => Self::Other,
            },
            // Of the same name, and signed by another, or by who may sign no lists.
            Error::InvalidCertRevocationList(_) => Self::UnknownRevocation,
            Error::AlertReceived(
                AlertDescription::UnknownCA
                | AlertDescription::BadCertificate
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown,
            ) => Self::PeerRefused,
            _ => Self::Other,
        }
    }
}
