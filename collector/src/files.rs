//! Files that are whole or not there, and names that files can have.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::aside::sha256;

/// What a file that is being written ends in.
pub const PART: &str = ".part";

/// Writes a file that was not there, safe on disk before it has its name.
///
/// # Errors
/// Those of the file system; [`io::ErrorKind::AlreadyExists`] where it is there.
pub fn write_new(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let part = write_part(path, content, mode)?;
    // A hard link, unlike a new name, never replaces anything.
    let linked = fs::hard_link(&part, path);
    fs::remove_file(&part)?;
    linked?;
    sync_folder(path)
}

/// Writes a file, and replaces the one that is there in one step.
///
/// # Errors
/// Those of the file system.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let part = write_part(path, content, mode)?;
    if let Err(error) = fs::rename(&part, path) {
        let _first_error_counts = fs::remove_file(&part);
        return Err(error);
    }
    sync_folder(path)
}

fn write_part(path: &Path, content: &[u8], mode: u32) -> io::Result<PathBuf> {
    let mut part = path.as_os_str().to_owned();
    part.push(PART);
    let part = PathBuf::from(part);
    // Left by a process that was killed: its mode and owner may be another's.
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&part)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    if let Err(error) = written {
        let _first_error_counts = fs::remove_file(&part);
        return Err(error);
    }
    Ok(part)
}

/// Makes the name of a file as safe as its content.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

/// Bytes of a name in a file's name, which has at most 255 and needs some for what is around it.
const LONGEST: usize = 120;

/// A name as part of a file's name: letters, digits, `.`, `_` and `-` as they are, other bytes as `%` and two digits. A
/// long one is its beginning, `~`, and a hash of all of it, so that no two have the same.
#[must_use]
pub fn escape(name: &str) -> String {
    const HASH: usize = 16;
    let mut text = escape_whole(name);
    if text.len() > LONGEST {
        text.truncate(LONGEST - HASH - 1);
        text.push('~');
        text.push_str(sha256(name.as_bytes()).get(..HASH).unwrap_or_default());
    }
    text
}

fn escape_whole(name: &str) -> String {
    let mut text = String::new();
    for (place, byte) in name.bytes().enumerate() {
        let plain =
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') || (byte == b'.' && place > 0);
        if plain {
            text.push(byte.into());
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_replaced_unless_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(folder.path().join("file.part"), "left").unwrap();
        write_new(&path, b"one", 0o600).unwrap();
        assert_eq!(write_new(&path, b"two", 0o600).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        replace(&path, b"three", 0o600).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn no_name_leaves_its_folder_or_hides() {
        assert_eq!(escape("tokyo-1"), "tokyo-1");
        assert_eq!(escape("../x"), "%2E.%2Fx");
        assert_eq!(escape("東"), "%E6%9D%B1");
        assert_eq!(escape(&"x".repeat(64)), "x".repeat(64));
        let [one, other] = ["京", "都"].map(|end| escape(&("東".repeat(63) + end)));
        assert!(one.len() == LONGEST && other.len() == LONGEST && one != other, "{one} {other}");
    }
}
