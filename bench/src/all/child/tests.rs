use super::*;

/// What a shell does in the benchmark's place; its last argument is `--json`.
fn shell(script: &str, limit: Duration) -> Outcome {
    shell_until(script, limit, &AtomicBool::new(false))
}

fn shell_until(script: &str, limit: Duration, interrupted: &AtomicBool) -> Outcome {
    let words = ["-c".to_owned(), script.to_owned()];
    Child { program: Path::new("/bin/sh"), words: &words, limit, interrupted }.run(|| {})
}

const PATIENCE: Duration = Duration::from_secs(30);

fn reason(outcome: Outcome) -> String {
    match outcome {
        Outcome::Failed(reason) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_measurement_is_read() {
    let measurement = Measurement { checked: vec!["all of it".into()], ..Measurement::default() };
    let json = serde_json::to_string(&measurement).unwrap();
    let outcome = shell(&format!("echo progress >&2; echo '{json}'"), PATIENCE);
    assert_eq!(outcome, Outcome::Measured(measurement));
}

#[test]
fn a_failure_has_its_reason() {
    let complained =
        shell("echo first >&2; echo 'apus-bench: 5 packets sent, 4 counted' >&2; exit 1", PATIENCE);
    assert_eq!(reason(complained), "5 packets sent, 4 counted (exit status: 1)");
    let crashed = shell(
        "echo one >&2; echo two >&2; echo 'thread panicked' >&2; echo there >&2; kill -ABRT $$",
        PATIENCE,
    );
    assert!(reason(crashed).starts_with("one; there (signal: 6"));
    let much = shell("head -c 100000 /dev/zero | tr '\\0' x >&2; exit 1", PATIENCE);
    assert!(reason(much).chars().count() < LONGEST_LINE + 50);
    assert!(reason(shell("kill -SEGV $$", PATIENCE)).contains("signal: 11"));
    assert!(reason(shell("echo none", PATIENCE)).contains("no measurement"));
}

#[test]
fn what_takes_too_long_is_ended() {
    let begun = Instant::now();
    let outcome = shell("exec sleep 60", Duration::from_millis(300));
    assert!(reason(outcome).contains("longer than"));
    assert!(begun.elapsed() < PATIENCE);
}

/// It holds the pipes open that are read to their end.
#[test]
fn who_is_ended_is_ended_with_its_children() {
    let begun = Instant::now();
    let outcome = shell("trap '' TERM; sleep 60 & wait; sleep 60", Duration::from_millis(300));
    assert!(reason(outcome).contains("longer than"));
    assert!(begun.elapsed() < PATIENCE);
}

#[test]
fn an_interruption_is_passed_on() {
    let folder = tempfile::tempdir().unwrap();
    let told = folder.path().join("told");
    let script = format!("trap 'echo > {}; exit 1' TERM; while :; do sleep 0.1; done", told.display());
    let interrupted = AtomicBool::new(false);
    let outcome = thread::scope(|scope| {
        let running = scope.spawn(|| shell_until(&script, PATIENCE, &interrupted));
        thread::sleep(Duration::from_millis(500));
        interrupted.store(true, Ordering::Relaxed);
        running.join().unwrap()
    });
    assert_eq!(reason(outcome), "interrupted");
    assert!(told.exists());
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let child = Child {
        program: Path::new("/nonexistent/bench"),
        words: &[],
        limit: PATIENCE,
        interrupted: &AtomicBool::new(false),
    };
    assert!(reason(child.run(|| {})).contains("/nonexistent/bench"));
}
