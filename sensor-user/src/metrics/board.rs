//! Where numbers are put up for whoever asks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::registry::{self, Metric};
use super::samples::{Family, Samples};
use super::snapshot::{Report, SinceStart, Snapshot};
use crate::attach::unix_nanoseconds;
use crate::ship::{ShipStatus, StatusHandle};
use crate::spool::Status as SpoolStatus;

/// Asks the spool for its numbers.
type AskSpool = Box<dyn Fn() -> SpoolStatus + Send + Sync>;

/// What metrics are made of, for all who have a hand on it.
#[derive(Clone)]
pub struct Board(Arc<Shared>);

struct Shared {
    sensor: String,
    /// When the agent started, nanoseconds since the Unix epoch.
    started: u64,
    top_ports: usize,
    snapshot: Mutex<Option<Arc<Snapshot>>>,
    spool: Option<AskSpool>,
    shipping: Option<StatusHandle>,
    exports: [AtomicU64; 2],
    published: Notify,
}

/// Everything that there is to say at one moment.
pub struct View<'board> {
    pub sensor: &'board str,
    pub started: u64,
    /// Nanoseconds since the Unix epoch.
    pub now: u64,
    /// None before the first interval has ended.
    pub snapshot: Option<Arc<Snapshot>>,
    pub spool: Option<SpoolStatus>,
    pub shipping: Option<ShipStatus>,
    /// Metrics sent to an OpenTelemetry collector: those that arrived, and those that did not.
    pub exports: [u64; 2],
}

impl Board {
    /// A board for a sensor, with so many ports of each kind; and, where there are such, a spool and a shipper.
    #[must_use]
    pub fn new(
        sensor: &str,
        top_ports: usize,
        spool: Option<AskSpool>,
        shipping: Option<StatusHandle>,
    ) -> Self {
        Self(Arc::new(Shared {
            sensor: sensor.to_owned(),
            started: unix_nanoseconds(),
            top_ports,
            snapshot: Mutex::new(None),
            spool,
            shipping,
            exports: Default::default(),
            published: Notify::new(),
        }))
    }

    /// Puts up an interval that has ended. Waits for nobody.
    pub fn publish(&self, report: &Report<'_>) {
        let earlier = self.snapshot().map_or(SinceStart::default(), |snapshot| snapshot.since_start);
        let snapshot = Arc::new(Snapshot::next(report, earlier, self.0.top_ports));
        *self.0.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = Some(snapshot);
        self.0.published.notify_one();
    }

    /// All metrics, as they are now.
    #[must_use]
    pub fn collect(&self) -> Vec<Family> {
        let view = self.view();
        registry::all().map(|metric| family(metric, &view)).collect()
    }

    pub(super) fn view(&self) -> View<'_> {
        let Shared { sensor, started, spool, shipping, exports, .. } = &*self.0;
        View {
            sensor,
            started: *started,
            now: unix_nanoseconds(),
            snapshot: self.snapshot(),
            spool: spool.as_ref().map(|ask| ask()),
            shipping: shipping.as_ref().map(StatusHandle::status),
            exports: [0, 1].map(|place: usize| exports[place].load(Ordering::Relaxed)),
        }
    }

    pub(super) fn count_export(&self, arrived: bool) {
        self.0.exports[usize::from(!arrived)].fetch_add(1, Ordering::Relaxed);
    }

    /// Waits for the next interval.
    pub(super) async fn published(&self) {
        self.0.published.notified().await;
    }

    fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.0.snapshot.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A metric with its samples.
pub(super) fn family(metric: &'static Metric, view: &View<'_>) -> Family {
    let mut samples = Samples::default();
    (metric.values)(view, &mut samples);
    Family { metric, samples: samples.0 }
}
