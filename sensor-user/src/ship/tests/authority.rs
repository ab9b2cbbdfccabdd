//! Certificates, and configurations of servers.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, IsCa, KeyIdMethod,
    KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::PrivateKeyDer;

/// Serial number of the one certificate that is revoked.
const REVOKED: u64 = 666;

pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// Year, month and day.
pub type Day = (i32, u8, u8);

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    fn certificate(&self, names: &[&str], end: Option<Day>, serial: u64) -> (rcgen::Certificate, KeyPair) {
        let alternatives: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(alternatives).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        names
            .first()
            .iter()
            .for_each(|name| params.distinguished_name.push(rcgen::DnType::CommonName, **name));
        params.serial_number = Some(SerialNumber::from(serial));
        if let Some((year, month, day)) = end {
            params.not_after = date_time_ymd(year, month, day);
        }
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// A sensor's certificate and key, in PEM.
    pub fn client(&self, name: &str, end: Option<Day>) -> (String, String) {
        let (certificate, key) = self.certificate(&[name], end, 1);
        (certificate.pem(), key.serialize_pem())
    }

    /// The same, of a certificate that is revoked.
    pub fn revoked_client(&self) -> (String, String) {
        let (certificate, key) = self.certificate(&["sensor"], None, REVOKED);
        (certificate.pem(), key.serialize_pem())
    }

    /// A server of this authority, for these names, that lets in those with certificates of `clients`.
    pub fn server(
        &self,
        clients: &Self,
        names: &[&str],
        end: Option<Day>,
        version: &'static SupportedProtocolVersion,
    ) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(clients.issuer.der().clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .with_crls([clients.revocations()])
            .build()
            .unwrap();
        let (certificate, key) = self.certificate(names, end, 2);
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        Arc::new(config)
    }

    fn revocations(&self) -> rustls_pki_types::CertificateRevocationListDer<'static> {
        let revoked = RevokedCertParams {
            serial_number: SerialNumber::from(REVOKED),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(4000, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().der().clone()
    }
}
