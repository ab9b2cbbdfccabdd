//! Room for connections among the files that this process may have open.

use nix::libc;

/// Files besides those of connections: the store's, those of refused batches, the runtime's.
const OTHERS: u64 = 256;

/// Asks for as many open files as so many connections of sensors need besides those of people, and says how many of sensors
/// there is room for.
pub fn make_room(connections: usize, of_people: usize) -> usize {
    let others = OTHERS.saturating_add(of_people as u64);
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: it writes one `rlimit`, which is there.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return connections;
    }
    let wanted = (connections as u64).saturating_add(others).min(limit.rlim_max);
    if wanted > limit.rlim_cur {
        let more = libc::rlimit { rlim_cur: wanted, ..limit };
        // SAFETY: it reads one `rlimit`, which is there.
        if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const more) } == 0 {
            limit.rlim_cur = wanted;
        }
    }
    let room = usize::try_from(limit.rlim_cur.saturating_sub(others)).unwrap_or(usize::MAX).max(16);
    if room < connections {
        log::warn!(
            "room for {room} connections, not {connections}: raise the limit of open files (LimitNOFILE=)"
        );
    }
    connections.min(room)
}
