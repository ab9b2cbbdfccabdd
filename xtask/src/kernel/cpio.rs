//! An archive as the kernel unpacks it into its first file system: cpio, "newc".
//!
//! The format is in the kernel's `Documentation/driver-api/early-userspace/buffer-format.rst`: a header of fourteen
//! fields of eight hexadecimal digits, the name, and the contents, each padded to four bytes.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Component, Path};

const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const LAST: &str = "TRAILER!!!";

/// Writes an archive. Whatever is in it belongs to root.
pub struct Archive<W> {
    output: W,
    written: u64,
    entries: u32,
    folders: BTreeSet<String>,
    files: BTreeSet<String>,
}

impl<W: Write> Archive<W> {
    pub fn new(output: W) -> Self {
        Self { output, written: 0, entries: 0, folders: BTreeSet::new(), files: BTreeSet::new() }
    }

    /// A folder, and those above it, where they are not there yet.
    pub fn folder(&mut self, path: &str) -> io::Result<()> {
        let mut above = String::new();
        for part in Path::new(path).components() {
            let Component::Normal(part) = part else { continue };
            if !above.is_empty() {
                above.push('/');
            }
            above.push_str(&part.to_string_lossy());
            if self.folders.insert(above.clone()) {
                self.entry(&above, FOLDER, &[])?;
            }
        }
        Ok(())
    }

    /// A file that may be run, in a folder that is made where it is not there.
    pub fn file(&mut self, path: &str, contents: &[u8]) -> io::Result<()> {
        self.folder_of(path)?;
        self.entry(path, PROGRAM, contents)
    }

    /// The same, where it is not there yet.
    pub fn file_once(&mut self, path: &str, contents: &[u8]) -> io::Result<()> {
        if !self.files.insert(path.to_owned()) {
            return Ok(());
        }
        self.file(path, contents)
    }

    /// Writes the end, and gives the number of bytes in all.
    pub fn finish(mut self) -> io::Result<u64> {
        self.entry(LAST, 0, &[])?;
        self.output.flush()?;
        Ok(self.written)
    }

    fn folder_of(&mut self, path: &str) -> io::Result<()> {
        path.rsplit_once('/').map_or(Ok(()), |(folder, _)| self.folder(folder))
    }

    fn entry(&mut self, name: &str, mode: u32, contents: &[u8]) -> io::Result<()> {
        let name = name.trim_start_matches('/');
        let too_long = || io::Error::new(io::ErrorKind::FileTooLarge, format!("{name} is larger than 4 GiB"));
        let length = u32::try_from(contents.len()).map_err(|_| too_long())?;
        let name_length = u32::try_from(name.len() + 1).map_err(|_| too_long())?;
        self.entries += 1;
        // Inode, mode, owner, group, links, time, size, four device numbers, length of the name, no checksum.
        let fields = [self.entries, mode, 0, 0, 1, 0, length, 0, 0, 0, 0, name_length, 0];
        let header: String = fields.iter().map(|field| format!("{field:08x}")).collect();
        self.write(b"070701")?;
        self.write(header.as_bytes())?;
        self.write(name.as_bytes())?;
        self.write(&[0])?;
        self.pad()?;
        self.write(contents)?;
        self.pad()
    }

    fn pad(&mut self) -> io::Result<()> {
        let missing = self.written.next_multiple_of(4) - self.written;
        self.write(&[0; 3][..usize::try_from(missing).unwrap_or(0)])
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written += bytes.len() as u64;
        self.output.write_all(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(fill: impl FnOnce(&mut Archive<&mut Vec<u8>>)) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut archive = Archive::new(&mut bytes);
        fill(&mut archive);
        let written = archive.finish().unwrap();
        assert_eq!(written, bytes.len() as u64);
        bytes
    }

    /// Name, mode and contents of each entry, read by the format's own rules.
    fn entries(mut bytes: &[u8]) -> Vec<(String, u32, Vec<u8>)> {
        let mut entries = Vec::new();
        let (total, mut read) = (bytes.len(), |length: usize| {
            let (taken, rest) = bytes.split_at(length);
            bytes = rest;
            (taken.to_vec(), rest.len())
        });
        loop {
            let (header, _) = read(110);
            assert!(header.starts_with(b"070701"));
            let field = |number: usize| {
                let digits = &header[6 + number * 8..14 + number * 8];
                u32::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap()
            };
            let (name, left) = read(field(11) as usize);
            read((4 - (total - left) % 4) % 4);
            let name = String::from_utf8(name[..name.len() - 1].to_vec()).unwrap();
            if name == LAST {
                return entries;
            }
            let (contents, left) = read(field(6) as usize);
            read((4 - (total - left) % 4) % 4);
            entries.push((name, field(1), contents));
        }
    }

    #[test]
    fn files_come_after_the_folders_that_they_are_in() {
        let bytes = archive(|archive| {
            archive.file("bin/one", b"12345").unwrap();
            archive.file("/bin/two", b"").unwrap();
        });
        let expected = [("bin", FOLDER, &b""[..]), ("bin/one", PROGRAM, b"12345"), ("bin/two", PROGRAM, b"")];
        let expected: Vec<_> =
            expected.map(|(name, mode, bytes)| (name.to_owned(), mode, bytes.to_vec())).into();
        assert_eq!(entries(&bytes), expected);
    }

    #[test]
    fn a_folder_is_made_once() {
        let bytes = archive(|archive| {
            archive.folder("a/b").unwrap();
            archive.folder("a").unwrap();
            archive.folder("a/b/").unwrap();
        });
        let names: Vec<_> = entries(&bytes).into_iter().map(|(name, ..)| name).collect();
        assert_eq!(names, ["a", "a/b"]);
    }
}
