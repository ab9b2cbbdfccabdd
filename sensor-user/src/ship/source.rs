//! Where intervals wait.

use bytes::Bytes;
use wire::Name;

/// What stands between the shipper and an interval that waits.
pub type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// Intervals that wait for the collector. All of it is called from the shipper's thread, which may be made to wait.
pub trait Source: Send + Sync {
    /// Names of the oldest intervals, at most `most`, oldest first, without those that `is_out` says are out. That may
    /// be most of them. What [`Source::read`] no longer finds is not among them.
    fn oldest(&self, most: usize, is_out: &dyn Fn(&Name) -> bool) -> Vec<Name>;

    /// The parts of an interval's batch: its counts, and its flows where they are still there. `None` where the
    /// interval is no longer there: merged, or stored.
    ///
    /// # Errors
    /// Where it is there and cannot be read.
    fn read(&self, name: &Name) -> Result<Option<Vec<Bytes>>, SourceError>;

    /// Notes, so that it outlives a crash, that the interval may have been sent: it keeps its name from now on.
    ///
    /// # Errors
    /// Where that cannot be noted; then it is not sent.
    fn mark_attempted(&self, name: &Name) -> Result<(), SourceError>;

    /// Lets go of the interval, which the collector has stored.
    ///
    /// # Errors
    /// Where it stays; then it is sent again, and the collector says again that it has it.
    fn mark_stored(&self, name: &Name) -> Result<(), SourceError>;
}

impl<S: Source + ?Sized> Source for std::sync::Arc<S> {
    fn oldest(&self, most: usize, is_out: &dyn Fn(&Name) -> bool) -> Vec<Name> {
        (**self).oldest(most, is_out)
    }

    fn read(&self, name: &Name) -> Result<Option<Vec<Bytes>>, SourceError> {
        (**self).read(name)
    }

    fn mark_attempted(&self, name: &Name) -> Result<(), SourceError> {
        (**self).mark_attempted(name)
    }

    fn mark_stored(&self, name: &Name) -> Result<(), SourceError> {
        (**self).mark_stored(name)
    }
}
