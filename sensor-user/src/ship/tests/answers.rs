//! Answers that are not that the interval is stored.

use super::super::FailureKind;
use super::collector::{Collector, Step};
use super::spool::name;
use super::*;

const REFUSED: Step =
    Step::Answer("422 Unprocessable Entity", "", r#"{"answer":"refused","reason":"sums do not hold"}"#);

/// Whatever the answer, the interval stays until the right one comes; which kind of failure it was is told.
fn stays(step: &Step, kind: FailureKind) {
    let bed = Bed::new(1);
    let collector = Collector::start(&bed.authority, &bed.spool, [step.clone()]);
    let shipper = bed.start(&bed.settings(&[&collector.url()]));
    eventually("two attempts", || collector.requests() >= 2);
    assert_eq!(bed.spool.waiting(), [1], "{step:?}");
    let place = FailureKind::ALL.iter().position(|other| *other == kind).unwrap();
    eventually(kind.name(), || shipper.status().status().failures[place] >= 1);
    collector.then([Step::Store]);
    eventually("stored", || bed.spool.is_empty());
    shipper.stop(LONGEST);
}

#[test]
fn another_interval() {
    stays(&Step::StoreOther(name(2)), FailureKind::Answer);
}

#[test]
fn garbage() {
    stays(&Step::Answer("200 OK", "", "<html>Welcome to the hotel's Wi-Fi"), FailureKind::Answer);
}

#[test]
fn nothing() {
    stays(&Step::Answer("204 No Content", "", ""), FailureKind::Rejected);
}

#[test]
fn a_redirection() {
    stays(
        &Step::Answer("307 Temporary Redirect", "location: https://example.org/\r\n", ""),
        FailureKind::Rejected,
    );
}

#[test]
fn forbidden() {
    stays(&Step::Answer("403 Forbidden", "", "no such sensor"), FailureKind::Unauthorized);
}

#[test]
fn an_error_of_the_collectors() {
    stays(&Step::Answer("500 Internal Server Error", "", ""), FailureKind::Server);
}

#[test]
fn too_busy() {
    stays(&Step::Answer("503 Service Unavailable", "retry-after: 0\r\n", ""), FailureKind::Busy);
}

#[test]
fn half_an_answer() {
    stays(&Step::BreakOff, FailureKind::CutOff);
}

#[test]
fn an_endless_answer() {
    let length = "transfer-encoding: chunked\r\n";
    stays(&Step::Answer("200 OK", length, "nothing of a chunk"), FailureKind::CutOff);
}

#[test]
fn no_answer() {
    let bed = Bed::new(1);
    let collector = Collector::start(&bed.authority, &bed.spool, [Step::Hang]);
    let mut settings = bed.settings(&[&collector.url()]);
    settings.pace.connect = Duration::from_millis(500);
    settings.pace.answer = Duration::from_millis(500);
    let shipper = bed.start(&settings);
    eventually("two attempts", || collector.requests() >= 2);
    assert_eq!(bed.spool.waiting(), [1]);
    eventually("told", || bed.said("does not answer in time") == 1);
    drop(shipper);
}

#[test]
fn a_slow_answer_is_one() {
    let bed = Bed::new(2);
    let slow = Step::Slow(Duration::from_millis(300));
    let collector = Collector::start(&bed.authority, &bed.spool, [slow]);
    bed.ship_all(&bed.settings(&[&collector.url()]));
    assert_eq!(collector.requests(), 2);
}

#[test]
fn one_that_is_refused_is_told_of_once_and_stands_in_no_ones_way() {
    let bed = Bed::new(3);
    let collector = Collector::start(&bed.authority, &bed.spool, [REFUSED, Step::Store]);
    let mut settings = bed.settings(&[&collector.url()]);
    settings.concurrency = 1;
    settings.pace.refused_pause = LONGEST;
    let shipper = bed.start(&settings);
    eventually("the others are stored", || bed.spool.waiting() == [1]);
    eventually("told", || bed.said("sums do not hold") == 1);
    eventually("counted", || shipper.status().status().refused == 1);
    drop(shipper);
    assert_eq!(bed.spool.arrived(), [1, 2, 3]);
}

/// However many are refused first, those behind them are stored; each is offered once, and few lines tell of all.
fn stand_in_no_ones_way(many: u64, status: &'static str, body: &'static str, words: &str) {
    let bed = Bed::new(many + 5);
    let step = Step::AnswerUpTo(many, status, body);
    let collector = Collector::start(&bed.authority, &bed.spool, [step]);
    let mut settings = bed.settings(&[&collector.url()]);
    settings.concurrency = 8;
    settings.pace.refused_pause = 10 * LONGEST;
    settings.pace.sum = 10 * LONGEST;
    let shipper = bed.start(&settings);
    eventually("the others are stored", || collector.stored().len() == 5);
    let status = shipper.status();
    eventually("counted", || status.status().refused == many);
    bed.spool.add(many + 6);
    shipper.wake();
    eventually("what comes later too", || collector.stored().len() == 6);
    let place = FailureKind::ALL.iter().position(|kind| *kind == FailureKind::Refused).unwrap();
    let status = status.status();
    assert!(status.is_well && status.failures[place] == many, "{status:?}");
    assert_eq!(status.failures.iter().sum::<u64>(), many, "{status:?}");
    shipper.stop(LONGEST);
    assert_eq!(collector.requests() as u64, many + 6, "each once");
    assert_eq!(
        (bed.said(words), bed.said(&format!("{} more", many - 5)), bed.said("")),
        (6, 1, 6),
        "{:?}",
        bed.said
    );
}

#[test]
fn many_that_are_refused_stand_in_no_ones_way() {
    let refused = r#"{"answer":"refused","word":"time","reason":"too old"}"#;
    stand_in_no_ones_way(1_500, "422 Unprocessable Entity", refused, "time: too old");
}

#[test]
fn many_of_another_sensor_stand_in_no_ones_way() {
    let refused = r#"{"answer":"refused","word":"foreign","reason":"of sensor \"old\""}"#;
    stand_in_no_ones_way(30, "403 Forbidden", refused, "foreign: of sensor");
}

#[test]
fn many_that_are_too_large_stand_in_no_ones_way() {
    let refused = r#"{"answer":"too_large","reason":"at most 9 bytes"}"#;
    stand_in_no_ones_way(30, "413 Payload Too Large", refused, "at most 9 bytes");
}

#[test]
fn refusals_are_summed_up_while_it_goes_on() {
    let bed = Bed::new(20);
    let collector = Collector::start(&bed.authority, &bed.spool, [REFUSED]);
    let mut settings = bed.settings(&[&collector.url()]);
    settings.pace.refused_pause = Duration::from_secs(1);
    settings.pace.sum = Duration::from_secs(5);
    let shipper = bed.start(&settings);
    eventually("summed up", || bed.said("15 more") == 1);
    eventually("offered again", || collector.requests() >= 60);
    assert_eq!(bed.said(""), 6, "{:?}", bed.said);
    drop(shipper);
}

#[test]
fn one_that_is_refused_may_be_stored_later() {
    let bed = Bed::new(1);
    let collector = Collector::start(&bed.authority, &bed.spool, [REFUSED, REFUSED, Step::Store]);
    bed.ship_all(&bed.settings(&[&collector.url()]));
    assert_eq!(bed.said("sums do not hold"), 1);
    assert_eq!(collector.requests(), 3);
}

#[test]
fn one_that_breaks_the_collector_stands_in_no_ones_way() {
    let bed = Bed::new(4);
    let collector = Collector::start(&bed.authority, &bed.spool, [Step::Choke(name(1))]);
    let mut settings = bed.settings(&[&collector.url()]);
    settings.concurrency = 1;
    let shipper = bed.start(&settings);
    eventually("the others are stored", || bed.spool.waiting() == [1]);
    collector.then([Step::Store]);
    eventually("this one too", || bed.spool.is_empty());
    shipper.stop(LONGEST);
}

#[test]
fn patience_that_is_asked_for_is_had() {
    let bed = Bed::new(2);
    let busy = Step::Answer("429 Too Many Requests", "retry-after: 3600\r\n", "");
    let collector = Collector::start(&bed.authority, &bed.spool, [busy]);
    let mut settings = bed.settings(&[&collector.url()]);
    settings.concurrency = 1;
    let shipper = bed.start(&settings);
    eventually("told", || bed.said("asks for patience (429") == 1);
    // Many times the longest pause of its own.
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(collector.requests(), 1);
    // And its end is not waited for.
    shipper.stop(Duration::from_secs(3));
    assert_eq!(bed.spool.waiting(), [1, 2]);
}
