//! One CPU's part of the sending.

use std::io;
use std::time::Duration;

use aya::TestRunOptions;
use aya::programs::{ProgramError, TestRun as _, TestRunAttrs, Xdp};
use nix::errno::Errno;
use nix::sched::{CpuSet, sched_getcpu, sched_setaffinity};
use nix::unistd::Pid;
use sensor_ebpf::generate::{FRAME_BYTES, GENERATOR_CPUS};

use super::Order;
use super::counts::Counts;
use super::pacer::Pacer;
use super::socket::Socket;
use crate::Error;

/// Packets that the kernel makes before it lets the far end receive. As many as the far end takes in
/// one poll (`NAPI_POLL_WEIGHT`), which follows on the same CPU before the next batch: then its ring
/// of 256 cannot overflow.
const BATCH: u32 = 64;

/// What the program returns of a packet that it has made.
const XDP_TX: u32 = 3;

/// Sends a share of the packets from one CPU.
pub struct Sender<'a> {
    pub program: &'a Xdp,
    /// Whether the kernel sends what the program makes; else it is sent through a socket.
    pub live_frames: bool,
    pub counts: &'a Counts,
    /// What a packet's buffer has in it before the program writes it: its length is what matters.
    pub frame: &'a [u8],
    /// Index of the interface to send from, in the namespace of the thread that runs.
    pub interface: u32,
    pub cpu: usize,
    pub order: Order<'a>,
}

impl Sender<'_> {
    /// Sends all of it, and gives the processor time that took.
    pub fn run(&self) -> Result<Duration, Error> {
        let cpu = self.stay()?;
        let before = self.counts.of(cpu);
        let failed_before = self.counts.failed(cpu);
        let mut pacer = Pacer::new(self.order.pace);
        let socket = if self.live_frames { None } else { Some(Socket::bind(self.interface)?) };
        let mut sent = 0;
        while sent < self.order.packets && !self.order.is_stopped() {
            let due = pacer.grant(self.order.packets - sent);
            match &socket {
                None if due > 0 => self.run_program(due)?,
                None => {}
                Some(socket) => self.send_through(socket, cpu, due.min(BATCH))?,
            }
            // By its own count: a signal may have ended the run early.
            sent = self.counts.of(cpu) - before;
            match self.counts.failed(cpu) - failed_before {
                0 => {}
                failed => return Err(Error::Template(failed)),
            }
        }
        Ok(processor_time())
    }

    /// Binds this thread to its CPU: random numbers and counts are each CPU's own, and the far end
    /// receives where the packets were sent.
    fn stay(&self) -> Result<u32, Error> {
        let mut only = CpuSet::new();
        let bound = only.set(self.cpu).and_then(|()| sched_setaffinity(Pid::from_raw(0), &only));
        let number = u32::try_from(self.cpu).ok().filter(|cpu| *cpu < GENERATOR_CPUS);
        match (bound, number) {
            (Ok(()), Some(number)) => Ok(number),
            (bound, _) => {
                let source = bound.err().unwrap_or(Errno::EINVAL).into();
                Err(Error::Pin { cpu: self.cpu, source })
            }
        }
    }

    /// Runs the program on that many packets, or fewer where a signal comes.
    fn run_program(&self, packets: u32) -> Result<(), Error> {
        let options = TestRunOptions {
            data_in: Some(self.frame),
            ctx_in: Some(&self.context()),
            repeat: packets,
            attrs: TestRunAttrs::new().xdp_live_frames(BATCH),
            ..TestRunOptions::default()
        };
        match self.program.test_run(options) {
            Err(error) if !is_interrupted(&error) => Err(error.into()),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Makes that many packets, or fewer where a signal comes, and sends each.
    fn send_through(&self, socket: &Socket, cpu: u32, packets: u32) -> Result<(), Error> {
        let mut made = [0; FRAME_BYTES];
        for _ in 0..packets {
            // SAFETY: it runs on this CPU by this thread alone, in the next lines.
            let before = unsafe { self.counts.copy(cpu) };
            let options = TestRunOptions {
                data_in: Some(self.frame),
                data_out: Some(&mut made),
                repeat: 1,
                ..TestRunOptions::default()
            };
            let result = match self.program.test_run(options) {
                // The program has run, but what it made is not handed over: it is as if it had not.
                Err(error) if is_interrupted(&error) => {
                    self.counts.take_back(cpu, &before);
                    return Ok(());
                }
                result => result?,
            };
            // What the program did not make is in its count of failures, and is no packet.
            if result.return_value == XDP_TX {
                let length = usize::try_from(result.data_size_out).unwrap_or(usize::MAX);
                socket.send(&made[..length.min(FRAME_BYTES)])?;
            }
        }
        Ok(())
    }

    /// `struct xdp_md`: a packet that is at the interface to send from.
    fn context(&self) -> [u8; 24] {
        let length = u32::try_from(self.frame.len()).unwrap_or(u32::MAX);
        let (data, data_meta, receive_queue, egress) = (0, 0, 0, 0);
        let words = [data, length, data_meta, self.interface, receive_queue, egress];
        let mut context = [0; 24];
        for (place, word) in context.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        context
    }
}

/// Whether a signal ended the run.
fn is_interrupted(error: &ProgramError) -> bool {
    matches!(error, ProgramError::SyscallError(error) if error.io_error.kind() == io::ErrorKind::Interrupted)
}

/// The CPU that this thread is on.
pub fn current_cpu() -> Result<usize, Error> {
    sched_getcpu().map_err(|errno| Error::Cpus(errno.into()))
}

/// Processor time of this thread.
fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes the structure that lives here. It cannot fail: the clock is every thread's.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    let (seconds, nanoseconds) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or(0), nanoseconds.unwrap_or(0))
}
