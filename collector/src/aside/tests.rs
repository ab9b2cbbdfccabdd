use super::*;

fn settings(folder: &Path) -> AsideSettings {
    AsideSettings {
        folder: folder.into(),
        bytes: 10 * (LEAST + 100),
        bytes_per_sensor: 4 * (LEAST + 100),
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
