use super::*;

fn settings(folder: &Path) -> AsideSettings {
    AsideSettings {
        folder: folder.into(),
        bytes: 10 * 2 * BLOCK,
        bytes_per_sensor: 4 * 2 * BLOCK,
        batches_per_sensor: 1000,
    }
}

fn keep(aside: &Aside, sensor: &str, second: i64) -> Kept {
    let arrived = Timestamp::from_second(1_700_000_000 + second).unwrap();
    let reason = Reason { arrived, sensor, peer: "[::1]:5".into(), word: "time", reason: "late", sent: None };
    let mut bytes = [0; 100];
    bytes[..8].copy_from_slice(&second.to_le_bytes());
    aside.keep(&bytes, &reason).unwrap()
}

fn count(folder: &Path, part: &str) -> usize {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_str().unwrap().contains(part)).count()
}

#[test]
fn a_hash_is_sha_256() {
    // FIPS 180-2, appendix B.1.
    assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn a_sensor_pushes_out_its_own_alone_and_never_has_more_than_its_share() {
    let folder = tempfile::tempdir().unwrap();
    let aside = Aside::open(settings(folder.path())).unwrap();
    assert!(matches!(keep(&aside, "honest-1", 0), Kept::Now(_)));
    for second in 1..50 {
        assert!(matches!(keep(&aside, "hostile/-", second), Kept::Now(_)));
    }
    assert_eq!(count(folder.path(), "hostile%2F-"), 8, "four batches with their reasons");
    assert_eq!(count(folder.path(), "honest-1"), 2);
    // The youngest are there; what was kept before this process began counts as well.
    let again = Aside::open(settings(folder.path())).unwrap();
    assert_eq!(keep(&again, "hostile/-", 49), Kept::Before);
    assert!(matches!(keep(&again, "hostile/-", 1), Kept::Now(_)));
    assert_eq!(count(folder.path(), "hostile%2F-"), 8);
}

#[test]
fn full_means_full_until_a_person_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    let aside = Aside::open(settings(folder.path())).unwrap();
    for sensor in ["a", "b", "c"] {
        (0..4).for_each(|second| drop(keep(&aside, sensor, second)));
    }
    assert_eq!(count(folder.path(), ".batch"), 10);
    assert_eq!(keep(&aside, "d", 5), Kept::Nowhere);
    for entry in fs::read_dir(folder.path()).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    assert!(matches!(keep(&aside, "d", 5), Kept::Now(_)));
}

#[test]
fn a_full_folder_costs_nobody_what_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let aside = Aside::open(AsideSettings { bytes: 4 * 2 * BLOCK, ..settings(folder.path()) }).unwrap();
    (0..3).for_each(|second| drop(keep(&aside, "a", second)));
    assert!(matches!(keep(&aside, "b", 3), Kept::Now(_)));
    let reason = Reason {
        arrived: Timestamp::now(),
        sensor: "b",
        peer: String::new(),
        word: "time",
        reason: "late",
        sent: None,
    };
    // It would not fit in the place of b's own.
    assert_eq!(aside.keep(&[0; 5000], &reason).unwrap(), Kept::Nowhere);
    assert_eq!((count(folder.path(), "-a-"), count(folder.path(), "-b-")), (6, 2));
    assert!(matches!(keep(&aside, "b", 4), Kept::Now(_)), "in the place of its own it does");
    assert_eq!(count(folder.path(), ".batch"), 4);
}

#[test]
fn what_a_person_has_removed_is_kept_again() {
    let folder = tempfile::tempdir().unwrap();
    let aside = Aside::open(settings(folder.path())).unwrap();
    let Kept::Now(path) = keep(&aside, "a", 1) else { panic!("not kept") };
    assert_eq!(keep(&aside, "a", 1), Kept::Before);
    fs::remove_file(&path).unwrap();
    assert_eq!(keep(&aside, "a", 1), Kept::Now(path));
    assert_eq!(count(folder.path(), "-a-"), 2);
}

#[test]
fn a_reason_counts_and_does_not_outlive_its_batch() {
    let folder = tempfile::tempdir().unwrap();
    let aside = Aside::open(settings(folder.path())).unwrap();
    // The batch cannot have its name: a folder has it.
    let Kept::Now(path) = keep(&aside, "a", 1) else { panic!("not kept") };
    for ending in ["batch", "json"] {
        fs::remove_file(path.with_extension(ending)).unwrap();
    }
    fs::create_dir(&path).unwrap();
    fs::write(path.join("file"), "").unwrap();
    let aside = Aside { kept: Mutex::default(), ..aside };
    let reason = Reason {
        arrived: Timestamp::from_second(1_700_000_001).unwrap(),
        sensor: "a",
        peer: String::new(),
        word: "time",
        reason: "late",
        sent: None,
    };
    let mut bytes = [0; 100];
    bytes[..8].copy_from_slice(&1_i64.to_le_bytes());
    assert!(aside.keep(&bytes, &reason).is_err());
    assert_eq!((count(folder.path(), ".json"), count(folder.path(), PART)), (0, 0));
    // Reasons that were left alone are removed before batches that came later.
    for second in 1..=4 {
        fs::write(folder.path().join(format!("2023010{second}T000000Z-b-0000000000000000.json")), "{}")
            .unwrap();
    }
    let aside = Aside::open(settings(folder.path())).unwrap();
    for second in 0..20 {
        assert!(matches!(keep(&aside, "b", second), Kept::Now(_)));
    }
    assert_eq!(count(folder.path(), "-b-"), 8, "four batches with their reasons");
}

#[test]
fn the_longest_names_have_files() {
    let folder = tempfile::tempdir().unwrap();
    let aside = Aside::open(settings(folder.path())).unwrap();
    let sensor = "🦅".repeat(64);
    assert!(matches!(keep(&aside, &sensor, 1), Kept::Now(_)));
    let again = Aside::open(settings(folder.path())).unwrap();
    assert_eq!(keep(&again, &sensor, 1), Kept::Before);
}
