//! Any bytes at all as a batch: read or refused, within the limits, and never a panic that gets out.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::{Batch, Limits};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { unpacked_bytes: 64 << 20, ..Limits::default() };
    let Ok(batch) = Batch::read(&bytes::Bytes::copy_from_slice(bytes), &limits) else { return };
    let _read_or_refused = batch.flows().try_for_each(|rows| rows.map(|rows| drop(rows.iter().count())));
});
