//! A certificate authority of one's own, made with the collector's own commands.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use tempfile::TempDir;

/// An authority in a temporary folder, with what it has issued.
pub struct Authority {
    program: PathBuf,
    folder: TempDir,
}

/// A certificate and its key.
#[derive(Clone, Debug)]
pub struct Identity {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    /// Makes one, with the collector's program.
    ///
    /// # Errors
    /// Where the program fails.
    pub fn new(program: &Path) -> Result<Self> {
        let authority = Self { program: program.into(), folder: TempDir::with_prefix("apus-authority-")? };
        authority.pki(&mut Command::new(program), "init", &[])?;
        Ok(authority)
    }

    /// What collector and agents trust.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("authority/ca.crt")
    }

    /// The list of what is revoked, once something is.
    #[must_use]
    pub fn revoked(&self) -> PathBuf {
        self.folder.path().join("authority/crl.pem")
    }

    /// Issues a sensor's certificate, which holds for so many days.
    ///
    /// # Errors
    /// Where the program fails.
    pub fn sensor(&self, name: &str, days: u32) -> Result<Identity> {
        self.issue(&mut Command::new(&self.program), "--sensor", name, days)
    }

    /// Issues a collector's certificate for these addresses.
    ///
    /// # Errors
    /// Where the program fails.
    pub fn server(&self, addresses: &[&str]) -> Result<Identity> {
        self.issue(&mut Command::new(&self.program), "--server", &addresses.join(","), 30)
    }

    /// Issues a sensor's certificate with another command, such as one under which the clock is another.
    ///
    /// # Errors
    /// Where the program fails.
    pub fn sensor_with(&self, command: &mut Command, name: &str, days: u32) -> Result<Identity> {
        self.issue(command, "--sensor", name, days)
    }

    fn issue(&self, command: &mut Command, kind: &str, names: &str, days: u32) -> Result<Identity> {
        // A folder for each, so that a renewed certificate replaces none.
        let out = tempfile::Builder::new().prefix("issued-").tempdir_in(self.folder.path())?.keep();
        let (days, folder) = (days.to_string(), out.to_string_lossy().into_owned());
        self.pki(command, "issue", &[kind, names, "--days", &days, "--out", &folder])?;
        let stem = names.split(',').next().unwrap_or(names);
        Ok(Identity { certificate: out.join(format!("{stem}.crt")), key: out.join(format!("{stem}.key")) })
    }

    /// Revokes a sensor's certificates.
    ///
    /// # Errors
    /// Where the program fails.
    pub fn revoke(&self, sensor: &str) -> Result<()> {
        self.pki(&mut Command::new(&self.program), "revoke", &["--sensor", sensor])
    }

    fn pki(&self, command: &mut Command, what: &str, arguments: &[&str]) -> Result<()> {
        command.args(["pki", what, "--dir"]).arg(self.folder.path().join("authority")).args(arguments);
        crate::run(command)?;
        Ok(())
    }
}
