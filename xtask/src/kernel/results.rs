//! Files that a machine has left, as they came over its line.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Unpacks `text`, a compressed archive as `base64` wrote it, into a folder that had nothing else in it.
pub fn unpack(text: &str, folder: &Path) -> Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    if text.is_empty() {
        return Ok(folder.to_owned());
    }
    let (encoded, archive) = (folder.join(".encoded"), folder.join(".archive"));
    fs::write(&encoded, text).with_context(|| format!("cannot write {}", encoded.display()))?;
    let output = File::create(&archive).with_context(|| format!("cannot make {}", archive.display()))?;
    run(Command::new("base64").arg("--decode").arg(&encoded).stdout(output))?;
    run(Command::new("tar").arg("-C").arg(folder).args(["-x", "-z", "-f"]).arg(&archive))?;
    for file in [encoded, archive] {
        fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
    }
    Ok(folder.to_owned())
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot start {program}"))?;
    ensure!(status.success(), "{program} cannot read what the machine has left ({status})");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_is_unpacked_in_place_of_what_was_there() {
        let folder = std::env::temp_dir().join(format!("apus-results-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("old"), b"").unwrap();
        // `printf word >one; tar -c -z one | base64`
        let text = Command::new("sh")
            .args(["-c", "d=$(mktemp -d); printf word >$d/one; tar -C $d -c -z one | base64; rm -r $d"])
            .output()
            .unwrap();
        unpack(&String::from_utf8(text.stdout).unwrap(), &folder).unwrap();
        assert_eq!(fs::read(folder.join("one")).unwrap(), b"word");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        assert!(unpack("not base64!", &folder).is_err());
        assert_eq!(fs::read_dir(unpack("", &folder).unwrap()).unwrap().count(), 0);
        fs::remove_dir_all(&folder).unwrap();
    }
}
