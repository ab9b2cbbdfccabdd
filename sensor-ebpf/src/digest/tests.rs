//! A digest's words against its fields, as both lie in memory.

use super::*;

/// Bytes of which no two are alike, so that none can stand in another's place.
fn bytes<const N: usize>() -> [u8; N] {
    core::array::from_fn(|place| 0x81 + place as u8)
}

#[test]
fn the_words_of_an_ipv4_digest_are_its_memory() {
    // SAFETY: a digest consists of bytes alone, of which any are valid.
    let digest: Ipv4Digest = unsafe { core::mem::transmute(bytes::<32>()) };
    let in_memory = digest.words().map(u64::to_ne_bytes);
    assert_eq!(in_memory.as_flattened(), bytes::<32>());
}

#[test]
fn the_words_of_an_ipv6_digest_are_its_memory() {
    // SAFETY: as above.
    let digest: Ipv6Digest = unsafe { core::mem::transmute(bytes::<64>()) };
    let in_memory = digest.words().map(u64::to_ne_bytes);
    assert_eq!(in_memory.as_flattened(), bytes::<64>());
}
