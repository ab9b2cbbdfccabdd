//! The property that `sensor-ebpf/tests/any_frame` asks of random frames, asked of frames that look for
//! a way around it.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../sensor-ebpf/tests/any_frame/property.rs"]
mod property;

fuzz_target!(|frame: &[u8]| property::holds(frame));
