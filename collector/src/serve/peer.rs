//! Who is on the other side.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::validate::{NameError, check_sensor_name};

/// A sensor that has shown its certificate.
#[derive(Clone, Debug)]
pub struct Peer {
    pub address: SocketAddr,
    /// The certificate's name.
    pub sensor: Arc<str>,
}

/// Why a certificate names no sensor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateNameError {
    #[error("it cannot be read")]
    Unreadable,
    #[error("its subject has {0} common names, and one is the sensor's name")]
    Names(usize),
    #[error(transparent)]
    Name(#[from] NameError),
}

/// The sensor that a certificate is of: its subject's one common name. Alternative names are not looked at.
pub fn sensor_of(certificate: &CertificateDer<'_>) -> Result<String, CertificateNameError> {
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| CertificateNameError::Unreadable)?;
    let names: Vec<_> = parsed.subject().iter_common_name().collect();
    let [name] = names[..] else { return Err(CertificateNameError::Names(names.len())) };
    let name = name.as_str().map_err(|_| CertificateNameError::Unreadable)?;
    check_sensor_name(name)?;
    Ok(name.to_owned())
}
