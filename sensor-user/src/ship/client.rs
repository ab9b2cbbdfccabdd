//! The HTTP client, and the identity that it shows.

use std::time::Instant;

use jiff::Timestamp;
use reqwest::{Client, NoProxy, Proxy, redirect};

use super::identity::{Identity, IdentityError, Warning};
use super::options::ShipSettings;
use super::status::StatusHandle;

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(
        "cannot set up the connection to the collector: {0}; look at proxy, and at HTTPS_PROXY in the environment"
    )]
    Client(#[source] reqwest::Error),
}

/// A client with the identity that the files have, as they are now.
pub struct Connector {
    pub client: Client,
    /// The name that the certificate has to bear.
    sensor: String,
    identity: Identity,
    looked_at: Instant,
    /// What was said last of the identity's time.
    warned: Option<Warning>,
    /// What was wrong with the files when they were looked at last.
    trouble: Option<String>,
}

impl Connector {
    /// Reads the files and makes the client.
    ///
    /// # Errors
    /// Where one of them is not what it has to be.
    pub fn new(settings: &ShipSettings, sensor: &str) -> Result<Self, ClientError> {
        let identity = Identity::read(settings, sensor)?;
        let client = client(settings, &identity)?;
        let sensor = sensor.to_owned();
        Ok(Self { client, sensor, identity, looked_at: Instant::now(), warned: None, trouble: None })
    }

    /// When the certificate ends.
    #[must_use]
    pub const fn not_after(&self) -> Timestamp {
        self.identity.not_after
    }

    /// Takes over certificate and key where they have changed on disk, should it be time to look or be asked for. What
    /// cannot be taken over is told, and what was there before goes on being used.
    pub fn refresh(&mut self, settings: &ShipSettings, now: bool, status: &StatusHandle) {
        if now || self.looked_at.elapsed() >= settings.pace.reload {
            self.looked_at = Instant::now();
            self.reload(settings, status);
        }
        let warning = self.identity.warning(Timestamp::now());
        if warning != self.warned {
            self.warned = warning;
            let (path, end) = (settings.certificate.display(), self.identity.not_after);
            match warning {
                None => {}
                Some(Warning::Soon) => {
                    status.say(&format!("warning: the sensor's certificate {path} ends {end}: renew it"));
                }
                Some(Warning::Expired) => status.say(&format!(
                    "warning: the sensor's certificate {path} has ended, {end}: nothing is shipped until it is renewed"
                )),
                Some(Warning::NotYet) => status.say(&format!(
                    "warning: the sensor's certificate {path} begins {}: this host's clock is wrong, or it came early",
                    self.identity.not_before
                )),
            }
        }
    }

    fn reload(&mut self, settings: &ShipSettings, status: &StatusHandle) {
        if !self.identity.has_changed(settings) {
            self.trouble = None;
            return;
        }
        let read = Identity::read(settings, &self.sensor).map_err(ClientError::from);
        match read.and_then(|identity| Ok((client(settings, &identity)?, identity))) {
            Ok((client, identity)) => {
                status.say(&format!(
                    "certificate or key have changed on disk and are taken over; the certificate ends {}",
                    identity.not_after
                ));
                (self.client, self.identity, self.trouble) = (client, identity, None);
                status.set_not_after(self.identity.not_after);
            }
            // One of two files that are being replaced: the other follows.
            Err(error) => {
                let words = error.to_string();
                if self.trouble.as_ref() != Some(&words) {
                    status.say(&format!("warning: {words}; until then those from before are used"));
                    self.trouble = Some(words);
                }
            }
        }
    }
}

fn client(settings: &ShipSettings, identity: &Identity) -> Result<Client, ClientError> {
    let mut builder = Client::builder()
        .tls_backend_preconfigured(identity.tls.clone())
        .https_only(true)
        .http1_only()
        .redirect(redirect::Policy::none())
        .connect_timeout(settings.pace.connect)
        .pool_max_idle_per_host(settings.concurrency)
        .user_agent(concat!("apus-sensor/", env!("CARGO_PKG_VERSION")));
    if let Some(proxy) = &settings.proxy {
        let proxy = Proxy::all(proxy.clone()).map_err(ClientError::Client)?;
        builder = builder.proxy(proxy.no_proxy(NoProxy::from_env()));
    }
    builder.build().map_err(ClientError::Client)
}
