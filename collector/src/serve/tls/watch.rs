//! Files of TLS that change while it goes on.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustls::ServerConfig;
use tokio::sync::{Notify, watch};

use super::{Files, Lists, load};

/// Looks at the files now and then, or when told to, and takes them in once they have changed and can be used. Until
/// then those that were read before stay in force.
pub async fn watch(
    files: Files,
    trust: watch::Sender<Arc<ServerConfig>>,
    period: Duration,
    look: Arc<Notify>,
    mut stopping: watch::Receiver<bool>,
) {
    let (paths, whose) = (files.paths(), files.whose.name());
    // Whatever has changed since they were first read is seen at the first look, at the price of reading them twice.
    let mut seen = None;
    let mut complaint = String::new();
    let (mut lists, mut told) = (Lists::default(), BTreeSet::new());
    loop {
        let stamps = stamps(&paths);
        if seen.as_ref() != Some(&stamps) {
            match load(&files) {
                Ok(loaded) => {
                    lists = loaded.lists;
                    if seen.replace(stamps).is_some() || !complaint.is_empty() {
                        log::info!(
                            "certificates for {whose} were read anew: connections are made anew with them"
                        );
                        trust.send_replace(loaded.config);
                    } else {
                        // Nobody waits for it but connections to come.
                        trust.send_if_modified(|current| {
                            *current = loaded.config;
                            false
                        });
                    }
                    complaint.clear();
                }
                Err(error) => {
                    let error = crate::one_line(&error);
                    if error != complaint {
                        log::error!("certificates for {whose} stay as they were read before: {error}");
                        complaint = error;
                    }
                }
            }
        }
        let remarks: BTreeSet<String> = lists.remarks(Timestamp::now()).into_iter().collect();
        remarks.difference(&told).for_each(|remark| log::warn!("{remark}"));
        told = remarks;
        tokio::select! {
            () = tokio::time::sleep(period) => {}
            () = look.notified() => {}
            _ = stopping.changed() => return,
        }
    }
}

/// What tells that a file is another one, or has another content.
fn stamps(files: &[PathBuf]) -> Vec<Option<[i64; 6]>> {
    let stamp = |metadata: Metadata| {
        let of_file = [metadata.ino().cast_signed(), metadata.size().cast_signed()];
        let modified = [metadata.mtime(), metadata.mtime_nsec()];
        let changed = [metadata.ctime(), metadata.ctime_nsec()];
        [of_file[0], of_file[1], modified[0], modified[1], changed[0], changed[1]]
    };
    files.iter().map(|path| fs::metadata(path).ok().map(stamp)).collect()
}
