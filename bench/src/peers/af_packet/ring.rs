//! A ring of packets shared with the kernel: `TPACKET_V3` of packet(7), as the kernel's
//! `Documentation/networking/packet_mmap.rst` has it.

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result};
use nix::errno::Errno;

/// 16 MiB, as much as those peers get that can be told how much they get.
const BLOCKS: usize = 16;
const BLOCK_BYTES: usize = 1 << 20;
/// The kernel wants to know, and has no use for it in this version.
const FRAME_BYTES: u32 = 2048;
/// After so long a block is given to its reader however empty it is.
const MOST_MILLISECONDS: u32 = 60;
/// Bytes of a packet that are kept: an Ethernet header, the longest of IPv4, and ports.
const SNAP_BYTES: u32 = 96;

/// A socket that takes everything that comes to an interface, and its ring.
pub struct Ring {
    socket: OwnedFd,
    memory: *mut u8,
    /// The block that comes next.
    block: usize,
}

// SAFETY: the mapping is this value's alone, and as good on one thread as on another.
unsafe impl Send for Ring {}

impl Ring {
    /// Opens a socket, as one of a group where there is one: its packets are then shared out by the hash of their flow.
    ///
    /// # Errors
    /// Where this process may not, or there is no such interface.
    pub fn open(interface: &str, group: Option<u16>) -> Result<Self> {
        let index =
            nix::net::if_::if_nametoindex(interface).with_context(|| format!("no interface {interface}"))?;
        // SAFETY: three integers in, a new descriptor or an error out. Without a protocol it takes nothing before it is bound.
        let descriptor = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        Errno::result(descriptor).context("cannot open an AF_PACKET socket")?;
        // SAFETY: just opened, and nobody else's.
        let socket = unsafe { OwnedFd::from_raw_fd(descriptor) };
        set(&socket, libc::SOL_PACKET, libc::PACKET_VERSION, &(libc::tpacket_versions::TPACKET_V3 as c_int))?;
        keep_headers(&socket)?;
        let request = libc::tpacket_req3 {
            tp_block_size: BLOCK_BYTES as u32,
            tp_block_nr: BLOCKS as u32,
            tp_frame_size: FRAME_BYTES,
            tp_frame_nr: (BLOCKS * BLOCK_BYTES) as u32 / FRAME_BYTES,
            tp_retire_blk_tov: MOST_MILLISECONDS,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        set(&socket, libc::SOL_PACKET, libc::PACKET_RX_RING, &request)?;
        let (length, flags) = (BLOCKS * BLOCK_BYTES, libc::MAP_SHARED | libc::MAP_POPULATE);
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping of the ring, wherever the kernel likes.
        let memory = unsafe { libc::mmap(ptr::null_mut(), length, access, flags, socket.as_raw_fd(), 0) };
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error()).context("cannot map the ring");
        }
        let ring = Self { socket, memory: memory.cast(), block: 0 };
        ring.bind(index, group)?;
        Ok(ring)
    }

    fn bind(&self, index: u32, group: Option<u16>) -> Result<()> {
        let every_protocol = (libc::ETH_P_ALL as u16).to_be();
        // SAFETY: zeros are a valid address.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = every_protocol;
        address.sll_ifindex = index.cast_signed();
        // SAFETY: the address lives, and its length is given.
        let bound = unsafe {
            libc::bind(
                self.socket.as_raw_fd(),
                (&raw const address).cast(),
                size_of::<libc::sockaddr_ll>() as libc::socklen_t,
            )
        };
        Errno::result(bound).context("cannot bind the socket to its interface")?;
        if let Some(group) = group {
            let fanout = u32::from(group) | (libc::PACKET_FANOUT_HASH << 16);
            set(&self.socket, libc::SOL_PACKET, libc::PACKET_FANOUT, &fanout)?;
        }
        Ok(())
    }

    /// Gives every packet of the next block, and the block back to the kernel. Says whether there was one.
    pub fn take_block(&mut self, mut each: impl FnMut(&[u8])) -> bool {
        // SAFETY: below BLOCKS, so inside the mapping, at a multiple of a block's bytes.
        let start = unsafe { self.memory.add(self.block * BLOCK_BYTES) };
        let description = start.cast::<libc::tpacket_block_desc>();
        // SAFETY: the mapping is aligned to pages, and the status is a word that both sides access atomically.
        let status = unsafe { AtomicU32::from_ptr(&raw mut (*description).hdr.bh1.block_status) };
        if status.load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return false;
        }
        // SAFETY: the kernel does not write to a block that is the reader's.
        let (packets, first) =
            unsafe { ((*description).hdr.bh1.num_pkts, (*description).hdr.bh1.offset_to_first_pkt) };
        let mut offset = first as usize;
        for _ in 0..packets {
            // SAFETY: the kernel's offsets lead from packet to packet inside the block, each aligned.
            let header = unsafe { &*start.add(offset).cast::<libc::tpacket3_hdr>() };
            let frame = offset + usize::from(header.tp_mac);
            // SAFETY: what was kept of the frame is inside the block, too, and stays for as long as the block is ours.
            each(unsafe { std::slice::from_raw_parts(start.add(frame), header.tp_snaplen as usize) });
            offset += header.tp_next_offset as usize;
        }
        status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.block = (self.block + 1) % BLOCKS;
        true
    }

    /// Waits until there is a block, or a moment.
    ///
    /// # Errors
    /// Where the interface is gone.
    pub fn wait(&self) -> Result<()> {
        let mut ready =
            libc::pollfd { fd: self.socket.as_raw_fd(), events: libc::POLLIN | libc::POLLERR, revents: 0 };
        // SAFETY: one descriptor, which lives.
        match Errno::result(unsafe { libc::poll(&raw mut ready, 1, 100) }) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error).context("cannot wait for packets"),
        }
    }

    /// Packets that the kernel had no room for, since the last time.
    ///
    /// # Errors
    /// Where the kernel does not say.
    pub fn lost(&self) -> Result<u64> {
        let mut statistics = libc::tpacket_stats_v3 { tp_packets: 0, tp_drops: 0, tp_freeze_q_cnt: 0 };
        let mut length = size_of_val(&statistics) as libc::socklen_t;
        // SAFETY: the kernel writes the structure that lives here, and no more than its length.
        let read = unsafe {
            libc::getsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                (&raw mut statistics).cast(),
                &raw mut length,
            )
        };
        Errno::result(read).context("the kernel does not say what was lost")?;
        Ok(u64::from(statistics.tp_drops))
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: this value's own mapping, to which nothing refers any more. It cannot fail.
        unsafe { libc::munmap(self.memory.cast(), BLOCKS * BLOCK_BYTES) };
    }
}

/// A filter of one instruction, which takes every packet and keeps its headers.
fn keep_headers(socket: &OwnedFd) -> Result<()> {
    let keep = (libc::BPF_RET | libc::BPF_K) as u16;
    let mut instruction = libc::sock_filter { code: keep, jt: 0, jf: 0, k: SNAP_BYTES };
    let program = libc::sock_fprog { len: 1, filter: &raw mut instruction };
    set(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
}

fn set<T>(socket: &OwnedFd, level: c_int, option: c_int, value: &T) -> Result<()> {
    let length = size_of::<T>() as libc::socklen_t;
    // SAFETY: the value lives, and its length is given.
    let set =
        unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, ptr::from_ref(value).cast(), length) };
    Errno::result(set)
        .map(drop)
        .with_context(|| format!("the kernel refuses option {option} of an AF_PACKET socket"))
}
