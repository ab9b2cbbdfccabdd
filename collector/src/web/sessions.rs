//! Who has logged in, and how often others have tried.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::users::{Hashed, hex};

/// How long a person stays logged in.
pub const LASTING: Duration = Duration::from_secs(12 * 3600);
/// Sessions at once; beyond it the oldest ends.
const MOST: usize = 1_000;
/// Attempts of an address in a row, and how long it takes to have one more.
const ATTEMPTS: f64 = 5.0;
const ATTEMPT_EVERY: Duration = Duration::from_secs(12);
/// Addresses that are remembered.
const MOST_ADDRESSES: usize = 10_000;

struct Session {
    user: String,
    /// With another password, or none, it ends.
    hashed: Hashed,
    ends: Instant,
}

/// The sessions, by the hashes of their tokens: who reads this memory cannot become anybody.
#[derive(Default)]
pub struct Sessions(Mutex<HashMap<[u8; 32], Session>>);

fn hash(token: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    bytes
}

impl Sessions {
    /// Begins one, and gives its token; none where this system has no random numbers.
    pub fn begin(&self, user: &str, hashed: Hashed) -> Option<String> {
        let mut token = [0; 32];
        SystemRandom::new().fill(&mut token).ok()?;
        let token = hex(&token);
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        sessions.retain(|_, session| session.ends > now);
        if sessions.len() >= MOST {
            let oldest = sessions.iter().min_by_key(|(_, session)| session.ends).map(|(key, _)| *key);
            oldest.iter().for_each(|key| drop(sessions.remove(key)));
        }
        sessions.insert(hash(&token), Session { user: user.into(), hashed, ends: now + LASTING });
        Some(token)
    }

    /// Whose it is, as long as `find` still knows the user with the same password.
    pub fn user(&self, token: &str, find: impl Fn(&str) -> Option<Hashed>) -> Option<String> {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = hash(token);
        let session = sessions.get(&key)?;
        if session.ends > Instant::now() && find(&session.user).as_ref() == Some(&session.hashed) {
            return Some(session.user.clone());
        }
        sessions.remove(&key);
        None
    }

    pub fn end(&self, token: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash(token));
    }
}

/// Attempts to log in: some in a row, and then a few a minute, of each address; of IPv6, of each /64.
#[derive(Default)]
pub struct Attempts(Mutex<HashMap<IpAddr, (f64, Instant)>>);

impl Attempts {
    /// Whether another one may be made now.
    pub fn may(&self, address: IpAddr) -> bool {
        self.may_at(address, Instant::now())
    }

    fn may_at(&self, address: IpAddr, now: Instant) -> bool {
        let key = crate::serve::network(address);
        let left = |(left, at): (f64, Instant)| {
            let more = now.saturating_duration_since(at).as_secs_f64() / ATTEMPT_EVERY.as_secs_f64();
            (left + more).min(ATTEMPTS)
        };
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if attempts.len() >= MOST_ADDRESSES {
            attempts.retain(|_, bucket| left(*bucket) < ATTEMPTS);
        }
        if attempts.len() >= MOST_ADDRESSES && !attempts.contains_key(&key) {
            // Whoever has many addresses must not keep everybody else out.
            let oldest = attempts.iter().min_by_key(|(_, (_, at))| *at).map(|(key, _)| *key);
            if let Some(oldest) = oldest {
                attempts.remove(&oldest);
            }
        }
        let bucket = attempts.entry(key).or_insert((ATTEMPTS, now));
        let now_left = left(*bucket);
        let may = now_left >= 1.0;
        *bucket = (if may { now_left - 1.0 } else { now_left }, now);
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_lasts_as_long_as_its_user() {
        let sessions = Sessions::default();
        let token = sessions.begin("mika", Hashed::of_nobody()).unwrap();
        let find = |name: &str| (name == "mika").then(Hashed::of_nobody);
        assert_eq!(sessions.user(&token, find).as_deref(), Some("mika"));
        assert_eq!(sessions.user("another", find), None);
        assert_eq!(sessions.user(&token, |_| None), None);
        // Once it has ended it does not come back.
        assert_eq!(sessions.user(&token, find), None);
        let token = sessions.begin("mika", Hashed::of_nobody()).unwrap();
        sessions.end(&token);
        assert_eq!(sessions.user(&token, find), None);
    }

    #[test]
    fn many_addresses_keep_nobody_else_out() {
        let attempts = Attempts::default();
        let now = Instant::now();
        let address = |number: usize| IpAddr::from(std::net::Ipv4Addr::from_bits(number as u32));
        for number in 0..MOST_ADDRESSES {
            assert!(attempts.may_at(address(number), now + Duration::from_micros(number as u64)));
        }
        let later = now + Duration::from_secs(1);
        // The one that was remembered first is used again, and so is not the one that is forgotten.
        assert!(attempts.may_at(address(0), later));
        assert!(attempts.may_at(address(MOST_ADDRESSES), later));
        let known = attempts.0.lock().unwrap();
        assert_eq!(known.len(), MOST_ADDRESSES);
        let has = |number| known.contains_key(&address(number));
        assert_eq!([0, 1, 2, MOST_ADDRESSES].map(has), [true, false, true, true]);
    }

    #[test]
    fn attempts_are_few_in_a_row() {
        let attempts = Attempts::default();
        let now = Instant::now();
        let many = |address: &str, at| {
            let address = address.parse().unwrap();
            (0..20).filter(|_| attempts.may_at(address, at)).count()
        };
        assert_eq!(many("192.0.2.1", now), 5);
        assert_eq!(many("192.0.2.2", now), 5);
        assert_eq!(many("192.0.2.1", now + 2 * ATTEMPT_EVERY), 2);
        // Whoever has a network of IPv6 has one address here.
        assert_eq!(many("2001:db8::1", now), 5);
        assert_eq!(many("2001:db8::ffff", now), 0);
        assert_eq!(many("2001:db8:0:1::1", now), 5);
        assert_eq!(many("192.0.2.1", now + Duration::from_secs(3600)), 5);
    }
}
