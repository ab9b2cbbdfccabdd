//! Debug lines of the XDP program, in a debug build alone: no released program has any.

use std::time::Duration;

use aya::Ebpf;
use aya_log::{EbpfLogger, Error};

/// How often lines are fetched.
const PERIOD: Duration = Duration::from_millis(200);

/// The lines of one loaded program, none if it was built without.
pub struct Lines(Option<EbpfLogger<&'static dyn log::Log>>);

impl Lines {
    /// No lines: for a program that another agent loaded.
    pub const NONE: Self = Self(None);

    /// Finds the lines of a loaded object.
    ///
    /// # Errors
    /// Where the program was built with lines and they cannot be read.
    pub fn of(ebpf: &mut Ebpf) -> Result<Self, Error> {
        if !sensor_objects::SENSOR_LOGS {
            return Ok(Self::NONE);
        }
        // A second logger in one process is the first one.
        let _already_set = env_logger::try_init();
        EbpfLogger::init(ebpf).map(Some).map(Self)
    }

    /// Prints those that have come, to the standard error, as `RUST_LOG` says.
    pub fn print(&mut self) {
        if let Some(logger) = &mut self.0 {
            logger.flush();
        }
    }

    /// Prints them as they come, for as long as this process lives.
    pub fn keep_printing(mut self) {
        if self.0.is_some() {
            std::thread::spawn(move || {
                loop {
                    self.print();
                    std::thread::sleep(PERIOD);
                }
            });
        }
    }
}
