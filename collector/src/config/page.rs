//! The page that people look at: where it is, and who may look.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use super::ConfigError;

/// Where it is unless configured otherwise: nobody else's host can reach it.
const DEFAULT_PAGE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8480);
const OFF: &str = "off";

/// An address and port, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageAddress {
    At(SocketAddr),
    Off,
}

impl FromStr for PageAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == OFF {
            return Ok(Self::Off);
        }
        text.parse().map(Self::At).map_err(|_| {
            format!("\"{text}\" is neither an address and port such as {DEFAULT_PAGE} nor \"{OFF}\"")
        })
    }
}

impl fmt::Display for PageAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(address) => address.fmt(formatter),
            Self::Off => formatter.write_str(OFF),
        }
    }
}

impl<'de> Deserialize<'de> for PageAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Where the page is, and who may look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageSettings {
    pub listen: SocketAddr,
    /// Whether somebody asked for it to be there: then it has to be.
    pub is_asked_for: bool,
    /// People who log in with a password; see `apus-collector page user`.
    pub users: Option<PathBuf>,
    /// The CA of people's certificates.
    pub client_ca: Option<PathBuf>,
    /// Its list of revoked certificates.
    pub crl: Option<PathBuf>,
}

impl PageSettings {
    /// What the keys `page`, `page_users`, `page_client_ca` and `page_crl` come to.
    ///
    /// # Errors
    /// Where everybody's host could reach it and anybody may look, or there is a list without its CA.
    pub fn resolve(
        page: Option<PageAddress>,
        users: Option<PathBuf>,
        client_ca: Option<PathBuf>,
        crl: Option<PathBuf>,
    ) -> Result<Option<Self>, ConfigError> {
        if let (None, Some(crl)) = (&client_ca, &crl) {
            return Err(ConfigError::PageCrlAlone(crl.clone()));
        }
        let is_asked_for = page.is_some();
        let PageAddress::At(listen) = page.unwrap_or(PageAddress::At(DEFAULT_PAGE)) else { return Ok(None) };
        let page = Self { listen, is_asked_for, users, client_ca, crl };
        if !listen.ip().is_loopback() && page.users.is_none() && page.client_ca.is_none() {
            return Err(ConfigError::PageForAll(listen));
        }
        Ok(Some(page))
    }

    /// Whether it is to be had over TLS: elsewhere than on this host, and where certificates are shown.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        !self.listen.ip().is_loopback() || self.client_ca.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Options;

    fn resolved(text: &str) -> Result<Option<PageSettings>, String> {
        let options: Options = toml::from_str(text).map_err(|error| error.to_string())?;
        options.resolve().map(|settings| settings.page).map_err(|error| error.to_string())
    }

    #[test]
    fn it_is_for_this_host_unless_somebody_guards_it() {
        let page = resolved("").unwrap().unwrap();
        assert_eq!((page.listen, page.is_asked_for, page.is_tls()), (DEFAULT_PAGE, false, false));
        assert_eq!(resolved("page = \"off\"").unwrap(), None);
        assert!(resolved("page = \"[::1]:1\"").unwrap().unwrap().is_asked_for);
        for open in ["192.0.2.1:8480", "0.0.0.0:8480", "[::]:8480"] {
            let error = resolved(&format!("page = \"{open}\"")).unwrap_err();
            assert!(error.contains(open) && error.contains("page_users"), "{error}");
            for guard in ["page_users", "page_client_ca"] {
                let page = resolved(&format!("page = \"{open}\"\n{guard} = \"x\"")).unwrap().unwrap();
                assert!(page.is_tls());
            }
        }
        assert!(resolved("page_client_ca = \"x\"").unwrap().unwrap().is_tls());
        let error = resolved("page_crl = \"crl.pem\"").unwrap_err();
        assert!(error.contains("crl.pem") && error.contains("page_client_ca"), "{error}");
        let page = resolved("page_client_ca = \"x\"\npage_crl = \"crl.pem\"").unwrap().unwrap();
        assert_eq!(page.crl.as_deref(), Some("crl.pem".as_ref()));
        assert!(resolved("page = \"here\"").unwrap_err().contains("neither"));
    }
}
