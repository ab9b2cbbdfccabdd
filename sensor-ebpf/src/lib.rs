//! What the kernel and user space share: the ABI of the maps, the packet decoder, the classifier and
//! the counting itself. The XDP programs in `src/bin` are thin shells around this library, so that
//! every rule also runs, and is tested, on the host.
#![cfg_attr(target_arch = "bpf", no_std)]
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch))]

pub mod abi;
pub mod classify;
pub mod count;
pub mod digest;
pub mod evidence;
pub mod generate;
pub mod headers;
pub mod names;
pub mod observed;
pub mod packet;
#[cfg(target_arch = "bpf")]
mod panic;
pub mod ring;
