//! What may befall the chain.

use fastrand::Rng;

/// One of the things that happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Nothing,
    KillAgent,
    KillCollector,
    KillBoth,
    /// The agent is told to stop, and started again.
    RestartAgent,
    RestartCollector,
    CutNetwork,
    SlowNetwork,
    /// The disk that the spool is on, at once.
    FillSpool,
    /// The same while the collector is away, and by what the agent keeps: first flows go, then old counts become one.
    CrowdSpool,
    /// The disk that the store is on.
    FillStore,
    /// The agent's clock, by so many seconds.
    SetClock(i32),
    /// The agent's certificate is one that has expired, and then renewed.
    ExpireCertificate,
    /// To another machine, with its store.
    MoveCollector,
}

impl Fault {
    /// Every kind of fault.
    pub const ALL: [Self; 14] = [
        Self::Nothing,
        Self::KillAgent,
        Self::KillCollector,
        Self::KillBoth,
        Self::RestartAgent,
        Self::RestartCollector,
        Self::CutNetwork,
        Self::SlowNetwork,
        Self::FillSpool,
        Self::CrowdSpool,
        Self::FillStore,
        Self::SetClock(0),
        Self::ExpireCertificate,
        Self::MoveCollector,
    ];

    /// Any of them.
    pub fn any(random: &mut Rng) -> Self {
        match Self::ALL[random.usize(..Self::ALL.len())] {
            // Further ahead the collector would rightly believe nothing.
            Self::SetClock(_) => Self::SetClock(random.i32(-3_600..300)),
            fault => fault,
        }
    }
}
