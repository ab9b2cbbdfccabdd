use super::*;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn name(first: u64) -> Name {
    Name { epoch: 1, first, last: first }
}

#[test]
fn what_failed_is_passed_over_until_it_is_due() {
    let now = Instant::now();
    let later = now + SECOND;
    let mut queue = Queue::default();
    queue.begin(name(1));
    assert!(queue.rest(name(2), later, Why::Failed));
    let passed_over = |queue: &Queue, now| [1, 2, 3].map(|first| queue.passes_over(&name(first), now));
    assert_eq!(passed_over(&queue, now), [true, true, false]);
    assert_eq!((queue.next_due(now), queue.refused(), queue.in_flight()), (Some(later), 0, 1));
    queue.end(&name(1));
    assert_eq!(passed_over(&queue, later), [false; 3]);
    assert_eq!((queue.next_due(later), queue.last(9, later)), (None, vec![]));
    assert!(!queue.rest(name(2), later, Why::Failed), "known");
    assert_eq!(queue.failures(&name(2)), 2);
    queue.forget(&name(2));
    assert_eq!((queue.failures(&name(2)), queue.next_due(now)), (0, None));
}

#[test]
fn what_is_refused_or_cannot_be_read_comes_last() {
    let now = Instant::now();
    let mut queue = Queue::default();
    assert!(queue.rest(name(1), now + 2 * SECOND, Why::Refused));
    assert!(queue.rest(name(2), now + SECOND, Why::Unreadable));
    let later = now + 3 * SECOND;
    assert!(queue.passes_over(&name(1), later) && queue.passes_over(&name(2), later));
    assert_eq!(queue.last(9, now), []);
    assert_eq!(queue.last(9, later), [name(2), name(1)]);
    assert_eq!(queue.last(1, later), [name(2)]);
    queue.begin(name(2));
    assert_eq!(queue.last(9, later), [name(1)]);
    queue.end(&name(2));
    assert!(!queue.passes_over(&name(2), later), "it could be read");
}

#[test]
fn a_refusal_is_news_once() {
    let now = Instant::now();
    let mut queue = Queue::default();
    assert!(queue.rest(name(1), now, Why::Failed));
    assert!(queue.rest(name(1), now, Why::Refused), "another trouble");
    assert!(!queue.rest(name(1), now, Why::Failed));
    assert!(!queue.rest(name(1), now + SECOND, Why::Refused), "known, whatever came in between");
    assert_eq!((queue.refused(), queue.failures(&name(1))), (1, 4));
    queue.forget(&name(1));
    assert_eq!((queue.refused(), queue.next_due(now)), (0, None));
}

#[test]
fn however_many_rest_none_is_tried_before_it_is_due() {
    let now = Instant::now();
    let mut queue = Queue::default();
    for number in 1..=5_000 {
        assert!(queue.rest(name(number), now + SECOND * u32::try_from(number).unwrap(), Why::Refused));
    }
    assert!((1..=5_000).all(|number| queue.passes_over(&name(number), now)));
    assert_eq!((queue.refused(), queue.last(9, now)), (5_000, vec![]));
    assert_eq!(queue.last(9, now + 2 * SECOND), [name(1), name(2)]);
    (1..=5_000).for_each(|number| queue.forget(&name(number)));
    assert!(queue.due.is_empty() && queue.resting.is_empty());
}
