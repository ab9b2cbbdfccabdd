//! Any bytes at all as a batch: read or refused, within the limits, and never a panic that gets out.

#![no_main]

use std::hint::black_box;

use libfuzzer_sys::fuzz_target;
use wire::{Batch, Limits, WireError};

// Not the fuzzer's own hook, which would end it at a panic of Arrow's decoder that costs one batch.
fuzz_target!(init: std::panic::set_hook(Box::new(|_| {})), |bytes: &[u8]| {
    let limits = Limits { unpacked_bytes: 64 << 20, ..Limits::default() };
    let Ok(batch) = Batch::read(&bytes::Bytes::copy_from_slice(bytes), &limits) else { return };
    let _read_or_refused = batch.flows().try_for_each(|rows| {
        black_box(rows?.iter().count());
        Ok::<_, WireError>(())
    });
});
