//! Files that are whole or not there: they are written under another name first.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// What the name of a file that is being written ends in.
pub const PART: &str = ".part";

/// The name that a file has until it is whole.
#[must_use]
pub fn part(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(PART);
    name.into()
}

/// Makes the part of a file anew. One that is there was left by a process that was killed, and its mode and owner may be
/// another's; or, in a folder that others write, too, it is a link that may lead anywhere.
///
/// # Errors
/// Those of the file system.
pub fn create(path: &Path, mode: u32) -> io::Result<(PathBuf, File)> {
    let part = part(path);
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&part)?;
    Ok((part, file))
}

/// Gives a part that is whole, and on the disk, its name, where nothing has it. On an error the part is gone.
///
/// # Errors
/// Those of the file system; [`io::ErrorKind::AlreadyExists`] where a file of the name is there.
pub fn name_new(path: &Path) -> io::Result<()> {
    let part = part(path);
    // A hard link, unlike a new name, never replaces anything. Some file systems have none.
    let named = match fs::hard_link(&part, path) {
        Ok(()) => fs::remove_file(&part),
        Err(_) if !path.exists() => fs::rename(&part, path),
        Err(error) => Err(error),
    };
    named.inspect_err(|_| remove(path))?;
    sync_folder(path)
}

/// Gives a part that is whole, and on the disk, its name, in the place of a file that may have it. On an error the part
/// is gone.
///
/// # Errors
/// Those of the file system.
pub fn name(path: &Path) -> io::Result<()> {
    fs::rename(part(path), path).inspect_err(|_| remove(path))?;
    sync_folder(path)
}

/// Removes the part of a file that does not become whole.
pub fn remove(path: &Path) {
    // What went wrong before is what is told.
    let _second_error = fs::remove_file(part(path));
}

/// Writes a file that was not there.
///
/// # Errors
/// As [`name_new`].
pub fn write_new(path: &Path, content: &[&[u8]], mode: u32) -> io::Result<()> {
    write(path, content, mode)?;
    name_new(path)
}

/// Writes a file, and replaces the one that is there in one step.
///
/// # Errors
/// As [`name`].
pub fn replace(path: &Path, content: &[&[u8]], mode: u32) -> io::Result<()> {
    write(path, content, mode)?;
    name(path)
}

fn write(path: &Path, content: &[&[u8]], mode: u32) -> io::Result<()> {
    let (_, mut file) = create(path, mode)?;
    let written = content.iter().try_for_each(|bytes| file.write_all(bytes));
    written.and_then(|()| file.sync_all()).inspect_err(|_| remove(path))
}

/// Makes the name of a file as safe as its content.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_replaced_unless_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(folder.path().join("file.part"), "left").unwrap();
        write_new(&path, &[b"o", b"ne"], 0o600).unwrap();
        assert_eq!(write_new(&path, &[b"two"], 0o600).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        replace(&path, &[b"three"], 0o600).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_in_the_parts_place_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let [path, other] = ["file", "other"].map(|name| folder.path().join(name));
        fs::write(&other, "theirs").unwrap();
        std::os::unix::fs::symlink(&other, part(&path)).unwrap();
        replace(&path, &[b"ours"], 0o600).unwrap();
        assert_eq!(fs::read(&other).unwrap(), b"theirs");
        assert_eq!(fs::read(&path).unwrap(), b"ours");
    }
}
