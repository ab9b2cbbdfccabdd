//! People who may look: a file with a line for each, of a name and a salted hash of the password.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use files::part;
use ring::pbkdf2::{self, PBKDF2_HMAC_SHA256};
use ring::rand::{SecureRandom as _, SystemRandom};

/// What OWASP asks for of this function.
const ITERATIONS: u32 = 600_000;
/// What a file may ask for: fewer would be no protection, more would keep a CPU busy.
const ALLOWED_ITERATIONS: std::ops::RangeInclusive<u32> = 100_000..=10_000_000;
const LEAST_PASSWORD: usize = 10;
const LONGEST_NAME: usize = 64;

/// Why a file of users is none, or cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    #[error("cannot read the page's users {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write the page's users {path}: {source}")]
    Write { path: PathBuf, source: io::Error },
    #[error("{path}, line {line}: no line of a user; \"apus-collector page user add NAME\" makes them")]
    Line { path: PathBuf, line: usize },
    #[error("a name has 1 to {LONGEST_NAME} letters, digits, points, dashes or low lines: {0:?} has not")]
    Name(String),
    #[error("a password has at least {LEAST_PASSWORD} characters")]
    Short,
    #[error("there is no user {0:?}")]
    Unknown(String),
    #[error("this system gives no random numbers")]
    Random,
}

/// A password's hash, and what it was made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hashed {
    iterations: NonZeroU32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Hashed {
    /// Hashes a password with a salt of its own.
    fn new(password: &str) -> Result<Self, UsersError> {
        let random = SystemRandom::new();
        let mut salt = vec![0; 16];
        random.fill(&mut salt).map_err(|_| UsersError::Random)?;
        let iterations = NonZeroU32::new(ITERATIONS).unwrap_or(NonZeroU32::MIN);
        let mut hash = vec![0; 32];
        pbkdf2::derive(PBKDF2_HMAC_SHA256, iterations, &salt, password.as_bytes(), &mut hash);
        Ok(Self { iterations, salt, hash })
    }

    /// A hash that no password has, so that an unknown name takes as long as a known one.
    pub fn of_nobody() -> Self {
        let iterations = NonZeroU32::new(ITERATIONS).unwrap_or(NonZeroU32::MIN);
        Self { iterations, salt: vec![0; 16], hash: vec![0; 32] }
    }

    /// Whether it is of this password; takes a good part of a second.
    pub fn is_of(&self, password: &str) -> bool {
        pbkdf2::verify(PBKDF2_HMAC_SHA256, self.iterations, &self.salt, password.as_bytes(), &self.hash)
            .is_ok()
    }

    fn line(&self, name: &str) -> String {
        format!("{name}:{}:{}:{}", self.iterations, hex(&self.salt), hex(&self.hash))
    }

    fn read(line: &str) -> Option<(String, Self)> {
        let mut parts = line.split(':');
        let (name, iterations) = (parts.next()?, parts.next()?.parse().ok()?);
        let (salt, hash) = (unhex(parts.next()?)?, unhex(parts.next()?)?);
        let is_sound = parts.next().is_none()
            && check_name(name).is_ok()
            && ALLOWED_ITERATIONS.contains(&iterations)
            && salt.len() >= 16
            && hash.len() == 32;
        let iterations = NonZeroU32::new(iterations)?;
        is_sound.then(|| (name.to_owned(), Self { iterations, salt, hash }))
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|place| u8::from_str_radix(text.get(place..place + 2)?, 16).ok()).collect()
}

fn check_name(name: &str) -> Result<(), UsersError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(is_plain) {
        return Err(UsersError::Name(name.into()));
    }
    Ok(())
}

/// The users of a file.
pub type List = BTreeMap<String, Hashed>;

/// Reads a file; lines that are empty or begin with `#` say nothing.
///
/// # Errors
/// Where it cannot be read, or a line is none of a user.
pub fn read(path: &Path) -> Result<List, UsersError> {
    let text = fs::read_to_string(path).map_err(|source| UsersError::Read { path: path.into(), source })?;
    let lines =
        text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|(place, line)| {
            Hashed::read(line).ok_or_else(|| UsersError::Line { path: path.into(), line: place + 1 })
        })
        .collect()
}

fn read_or_empty(path: &Path) -> Result<List, UsersError> {
    match read(path) {
        Err(UsersError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(List::new()),
        read => read,
    }
}

fn write(path: &Path, list: &List) -> Result<(), UsersError> {
    let lines: String = list.iter().map(|(name, hashed)| hashed.line(name) + "\n").collect();
    part::replace(path, &[lines.as_bytes()], 0o600)
        .map_err(|source| UsersError::Write { path: path.into(), source })
}

/// Adds a user, or gives one another password. The file is made where it is not there.
///
/// # Errors
/// Where name or password will not do, or the file cannot be read or written.
pub fn add(path: &Path, name: &str, password: &str) -> Result<(), UsersError> {
    check_name(name)?;
    if password.chars().count() < LEAST_PASSWORD {
        return Err(UsersError::Short);
    }
    let mut list = read_or_empty(path)?;
    list.insert(name.into(), Hashed::new(password)?);
    write(path, &list)
}

/// Removes a user, who is logged out at once.
///
/// # Errors
/// Where there is none of that name, or the file cannot be read or written.
pub fn remove(path: &Path, name: &str) -> Result<(), UsersError> {
    let mut list = read(path)?;
    if list.remove(name).is_none() {
        return Err(UsersError::Unknown(name.into()));
    }
    write(path, &list)
}

/// What tells that a file is another one, or has another content.
type Stamp = Option<(SystemTime, u64)>;

/// The users, as the file has them at each moment.
#[derive(Debug)]
pub struct Users {
    path: PathBuf,
    seen: Mutex<(Stamp, List)>,
}

impl Users {
    /// The users of a file, which may come later.
    pub fn new(path: PathBuf) -> Self {
        let users = Self { path, seen: Mutex::new((None, List::new())) };
        if let Err(error) = read(&users.path) {
            log::warn!("nobody can log in to the page: {}", crate::one_line(&error));
        }
        users
    }

    /// The user of this name, if there is one now.
    pub fn find(&self, name: &str) -> Option<Hashed> {
        let stamp = fs::metadata(&self.path).ok().and_then(|file| Some((file.modified().ok()?, file.len())));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if stamp.is_none() || seen.0 != stamp {
            let list = read(&self.path).unwrap_or_else(|error| {
                // Nobody rather than somebody who was removed.
                log::error!("nobody can log in to the page: {}", crate::one_line(&error));
                List::new()
            });
            *seen = (stamp, list);
        }
        seen.1.get(name).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_come_change_and_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        let users = Users::new(path.clone());
        assert_eq!(users.find("mika"), None);
        add(&path, "mika", "correct horse").unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("correct") && text.starts_with("mika:600000:"), "{text}");
        let mika = users.find("mika").unwrap();
        assert!(mika.is_of("correct horse") && !mika.is_of("correct horse ") && !mika.is_of(""));
        add(&path, "kai", "battery staple").unwrap();
        assert_eq!(read(&path).unwrap().len(), 2);
        remove(&path, "mika").unwrap();
        assert!(users.find("mika").is_none() && users.find("kai").is_some());
        assert!(matches!(remove(&path, "mika"), Err(UsersError::Unknown(_))));
    }

    #[test]
    fn what_will_not_do_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        assert!(matches!(add(&path, "a:b", "long enough password"), Err(UsersError::Name(_))));
        assert!(matches!(add(&path, "", "long enough password"), Err(UsersError::Name(_))));
        assert!(matches!(add(&path, "mika", "short"), Err(UsersError::Short)));
        assert!(!path.exists());
        let salt = "00".repeat(16);
        let hash = "11".repeat(32);
        for line in [
            "mika",
            &format!("mika:600000:{salt}"),
            &format!("mika:1000:{salt}:{hash}"),
            &format!("mika:600000:00:{hash}"),
            &format!("mika:600000:{salt}:{hash}:x"),
            &format!("mika:600000:{salt}:{}", "zz".repeat(32)),
        ] {
            fs::write(&path, format!("# people\n\n{line}\n")).unwrap();
            assert!(matches!(read(&path), Err(UsersError::Line { line: 3, .. })), "{line}");
        }
    }
}
