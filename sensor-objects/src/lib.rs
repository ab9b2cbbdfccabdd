//! The XDP programs as ELF objects, built from `sensor-ebpf` by this crate's build script.
//!
//! An object that a binary does not name is not in it: the agent carries the sensor alone.

/// Bytes at an alignment that ELF readers may rely on.
#[repr(C, align(64))]
struct Aligned<T: ?Sized>(T);

macro_rules! object {
    ($(#[$meta:meta])* $name:ident = $file:literal) => {
        $(#[$meta])*
        pub const $name: &[u8] = {
            const OBJECT: &Aligned<[u8]> = &Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/", $file)));
            &OBJECT.0
        };
    };
}

object! {
    /// The sensor: programs `sensor` and `sensor_single_buffer`.
    SENSOR = "sensor"
}
object! {
    /// The traffic generator of bench, tests and demo.
    GENERATOR = "generator"
}
object! {
    /// What the bench compares with: `bare_drop` and `decode_only`, `bare_pass` and `decode_pass`.
    BASELINE = "baseline"
}

object! {
    /// What the bench compares digests with: `flow_hash` and `flow_lru_hash`.
    ALTERNATIVES = "alternatives"
}

/// Whether the sensor logs debug lines through aya-log: in a debug build alone.
pub const SENSOR_LOGS: bool = cfg!(program_logs);
