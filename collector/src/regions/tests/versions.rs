use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::super::import::ImportError;
use super::*;

const JP: &[&str] = &["JP|ipv4|192.0.2.0|256"];
const KR: &[&str] = &["KR|ipv4|192.0.2.0|256"];

fn take(data: &Path, files: &[Checked], from: Option<&str>) -> Vec<(u32, String, String)> {
    let versions = import(data, files, from.map(day)).unwrap().versions;
    versions.iter().map(|version| (version.version, version.from.to_string(), names(version))).collect()
}

fn names(version: &Version) -> String {
    version.files.iter().map(|file| format!("{} {}", file.registry, file.date)).collect::<Vec<_>>().join(", ")
}

fn made(version: u32, from: &str, files: &str) -> (u32, String, String) {
    (version, from.into(), files.into())
}

#[test]
fn a_version_has_the_newest_file_of_each_registry_as_of_its_day() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let apnic = |date| checked(Registry::Apnic, date, JP);
    let arin = |date| checked(Registry::Arin, date, KR);
    assert_eq!(take(data, &[apnic("2024-04-01")], None), [made(1, "2024-04-01", "apnic 2024-04-01")]);
    let both = "apnic 2024-04-01, arin 2024-04-02";
    assert_eq!(take(data, &[arin("2024-04-02")], None), [made(2, "2024-04-02", both)]);
    // Again: nothing is new.
    assert_eq!(take(data, &[arin("2024-04-02"), apnic("2024-04-01")], None), []);
    // An older file makes a version of its own day, and nothing that has a newer one.
    assert_eq!(take(data, &[apnic("2024-03-01")], None), [made(3, "2024-03-01", "apnic 2024-03-01")]);
    // One that later versions lack makes them anew.
    let lacnic = checked(Registry::Lacnic, "2024-03-31", JP);
    let expected = [
        made(4, "2024-03-31", "apnic 2024-03-01, lacnic 2024-03-31"),
        made(5, "2024-04-01", "apnic 2024-04-01, lacnic 2024-03-31"),
        made(6, "2024-04-02", "apnic 2024-04-01, arin 2024-04-02, lacnic 2024-03-31"),
    ];
    assert_eq!(take(data, &[lacnic], None), expected);
    let index = Index::read(&data.join("regions")).unwrap();
    let on = |text: &str| index.in_force(day(text)).map(|version| version.version);
    assert_eq!(on("2024-02-29"), None);
    assert_eq!(
        ["2024-03-01", "2024-03-31", "2024-04-01", "2024-04-02", "2030-01-01"].map(on),
        [3, 4, 5, 6, 6].map(Some)
    );
    assert_eq!(index.versions.len(), 6);
}

#[test]
fn files_of_different_dates_are_each_of_their_own_days() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    take(data, &[checked(Registry::Arin, "2024-04-02", KR)], None);
    // Of arin there is a newer file by then: this one counts on the day between.
    let mixed = [checked(Registry::Apnic, "2024-04-03", JP), checked(Registry::Arin, "2024-04-01", JP)];
    let expected = [
        made(2, "2024-04-01", "arin 2024-04-01"),
        made(3, "2024-04-03", "apnic 2024-04-03, arin 2024-04-02"),
    ];
    assert_eq!(take(data, &mixed, None), expected);
    assert_eq!(take(data, &mixed, None), []);
    // The older one is older than the version of its own day that there is, too.
    let late = [checked(Registry::Lacnic, "2024-04-01", JP), checked(Registry::Apnic, "2024-03-31", JP)];
    let expected = [
        made(4, "2024-03-31", "apnic 2024-03-31"),
        made(5, "2024-04-01", "apnic 2024-03-31, arin 2024-04-01, lacnic 2024-04-01"),
        made(6, "2024-04-02", "apnic 2024-03-31, arin 2024-04-02, lacnic 2024-04-01"),
        made(7, "2024-04-03", "apnic 2024-04-03, arin 2024-04-02, lacnic 2024-04-01"),
    ];
    assert_eq!(take(data, &late, None), expected);
    // Where a day is told there is one table from it on; a file that it has no room for has its own days all the same.
    let told = [checked(Registry::Ripencc, "2024-04-05", JP), checked(Registry::Arin, "2024-03-30", JP)];
    let all = "apnic 2024-04-03, arin 2024-04-02, lacnic 2024-04-01, ripencc 2024-04-05";
    let expected = [
        made(8, "2020-01-01", all),
        made(9, "2024-03-30", "arin 2024-03-30"),
        made(10, "2024-03-31", "apnic 2024-03-31, arin 2024-03-30"),
        made(11, "2024-04-05", all),
    ];
    assert_eq!(take(data, &told, Some("2020-01-01")), expected);
    let together = tempfile::tempdir().unwrap();
    let both = [checked(Registry::Apnic, "2024-04-03", JP), checked(Registry::Arin, "2024-04-01", JP)];
    let expected = made(1, "2020-01-01", "apnic 2024-04-03, arin 2024-04-01");
    assert_eq!(take(together.path(), &both, Some("2020-01-01")), [expected]);
}

#[test]
fn a_version_may_be_in_force_from_another_day() {
    let folder = tempfile::tempdir().unwrap();
    let files = [checked(Registry::Apnic, "2024-04-01", JP)];
    let made_first = take(folder.path(), &files, Some("2023-01-01"));
    assert_eq!(made_first, [made(1, "2023-01-01", "apnic 2024-04-01")]);
    let library = Library::open(folder.path()).unwrap();
    assert_eq!(region(&library, "192.0.2.1", "2022-12-31"), ("ZZ".into(), 0));
    assert_eq!(region(&library, "192.0.2.1", "2023-01-01"), ("JP".into(), 1));
    assert_eq!(region(&library, "2001:db8::", "2023-01-01"), ("ZZ".into(), 1));
}

#[test]
fn a_version_from_before_its_date_outlasts_files_of_the_time_in_between() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let of = |date: &str, records| Registry::ALL.map(|registry| checked(registry, date, records));
    let all = |date: &str| Registry::ALL.map(|registry| format!("{registry} {date}")).join(", ");
    let (past, today) = (all("2024-01-01"), all("2026-11-20"));
    assert_eq!(take(data, &of("2026-11-20", KR), Some("2020-01-01")), [made(1, "2020-01-01", &today)]);
    let both = [made(2, "2024-01-01", &past), made(3, "2026-11-20", &today)];
    assert_eq!(take(data, &of("2024-01-01", JP), None), both);
    let library = Library::open(data).unwrap();
    for (on, code, version) in [
        ("2020-01-01", "KR", 1),
        ("2023-12-31", "KR", 1),
        ("2024-01-01", "JP", 2),
        ("2026-11-19", "JP", 2),
        ("2026-11-20", "KR", 3),
        ("2030-01-01", "KR", 3),
    ] {
        assert_eq!(region(&library, "192.0.2.1", on), (code.into(), version), "{on}");
    }
    // Again, nothing is new.
    assert_eq!(take(data, &of("2026-11-20", KR), Some("2020-01-01")), []);
    assert_eq!(take(data, &of("2026-11-20", KR), None), []);
    assert_eq!(take(data, &of("2024-01-01", JP), None), []);
}

#[test]
fn an_index_that_cannot_be_used_is_tried_again_after_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    take(data, &[checked(Registry::Apnic, "2024-04-01", JP)], None);
    let library = Library::open(data).unwrap();
    take(data, &[checked(Registry::Apnic, "2024-04-02", KR)], None);
    let name = Index::read(&data.join("regions")).unwrap().versions[1].files[0].name();
    let path = data.join("regions").join(name);
    let content = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let begin = Instant::now();
    let told = |seconds: u64| {
        let now = begin + Duration::from_secs(seconds);
        library.on_at(day("2024-04-02"), now).unwrap().map(|table| table.version())
    };
    assert_eq!(told(0), Some(1));
    fs::write(&path, content).unwrap();
    assert_eq!([1, 29, 30, 31].map(told), [1, 1, 2, 2].map(Some));
    // Another index is read at once, whatever became of the one before.
    let index = data.join("regions/index.json");
    let whole = fs::read(&index).unwrap();
    fs::write(&index, "{").unwrap();
    assert_eq!(told(32), Some(2));
    fs::write(&index, whole).unwrap();
    take(data, &[checked(Registry::Apnic, "2024-04-02", JP)], None);
    assert_eq!(told(33), Some(3));
}

#[test]
fn of_one_day_and_registry_the_file_that_came_last_counts() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    take(data, &[checked(Registry::Apnic, "2024-04-01", JP)], None);
    assert_eq!(take(data, &[checked(Registry::Apnic, "2024-04-01", KR)], None).len(), 1);
    let library = Library::open(data).unwrap();
    assert_eq!(region(&library, "192.0.2.1", "2024-04-01"), ("KR".into(), 2));
    let twice = [checked(Registry::Apnic, "2024-04-01", KR), checked(Registry::Apnic, "2024-04-02", JP)];
    assert!(matches!(import(data, &twice, None), Err(ImportError::Twice { registry: Registry::Apnic })));
}

#[test]
fn an_import_is_taken_in_while_the_library_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let library = Library::open(data).unwrap();
    assert_eq!(region(&library, "192.0.2.1", "2024-04-01"), ("ZZ".into(), 0));
    take(data, &[checked(Registry::Apnic, "2024-04-01", JP)], None);
    let before = library.table(day("2024-04-01")).unwrap();
    take(data, &[checked(Registry::Apnic, "2024-04-01", KR)], None);
    assert_eq!(region(&library, "192.0.2.1", "2024-04-01"), ("KR".into(), 2));
    // Who had a table has it still, and its version with it.
    assert_eq!((before.region(&"192.0.2.1".parse().unwrap()), before.version()), (*b"JP", 1));
    // What cannot be used changes nothing.
    let index = data.join("regions/index.json");
    let whole = fs::read(&index).unwrap();
    fs::write(&index, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(region(&library, "192.0.2.1", "2024-04-01"), ("KR".into(), 2));
    fs::remove_file(&index).unwrap();
    assert_eq!(region(&library, "192.0.2.1", "2024-04-01"), ("KR".into(), 2));
    fs::write(&index, &whole).unwrap();
    assert_eq!(region(&library, "192.0.2.1", "2024-04-01"), ("KR".into(), 2));
}

#[test]
fn more_versions_than_are_kept_in_memory_are_told_right() {
    let folder = tempfile::tempdir().unwrap();
    let codes = ["JP", "KR", "US", "NL", "RU", "CN", "BG", "IR", "SG"];
    for (code, number) in codes.iter().zip(1..) {
        let record = format!("{code}|ipv4|192.0.2.0|256");
        take(folder.path(), &[checked(Registry::Arin, &format!("2024-04-0{number}"), &[&record])], None);
    }
    let library = Library::open(folder.path()).unwrap();
    for _ in 0..2 {
        for (code, number) in codes.iter().zip(1..) {
            assert_eq!(
                region(&library, "192.0.2.7", &format!("2024-04-0{number}")),
                ((*code).into(), number)
            );
        }
    }
}

#[test]
fn an_index_or_a_file_that_cannot_be_used_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    take(data, &[checked(Registry::Apnic, "2024-04-01", JP)], None);
    take(data, &[checked(Registry::Apnic, "2024-04-02", KR)], None);
    let regions = data.join("regions");
    let index = regions.join("index.json");
    let whole = fs::read_to_string(&index).unwrap();
    let error = || Library::open(data).err().map(|error| crate::one_line(&error)).unwrap_or_default();
    assert_eq!(error(), "");
    for (from, to, expected) in [
        ("{", "[", "not an index"),
        ("\"format\": 1", "\"format\": 2", "its format is 2"),
        ("\"version\": 2", "\"version\": 1", "version 1 comes after 1"),
        ("\"version\": 2", "\"version\": 1048576", "version 1048576 comes after 1"),
        ("\"from\": \"2024-04-02\"", "\"from\": \"2024-04-31\"", "not a day"),
        ("\"apnic\"", "\"nobody\"", "unknown variant"),
        ("\"sha256\": \"", "\"sha256\": \"../../x", "has a file with the hash"),
        ("\"from\"", "\"since\"", "since"),
    ] {
        assert!(whole.contains(from), "{from}");
        fs::write(&index, whole.replacen(from, to, 1)).unwrap();
        assert!(error().contains(expected), "{}", error());
        assert!(error().contains("index.json"), "{}", error());
    }
    fs::write(&index, &whole).unwrap();
    let library = Library::open(data).unwrap();
    let (old, new) = (
        Index::read(&regions).unwrap().versions[0].files[0].name(),
        Index::read(&regions).unwrap().versions[1].files[0].name(),
    );
    let content = fs::read_to_string(regions.join(&new)).unwrap();
    fs::write(regions.join(&new), content.replace("|KR|", "|CN|")).unwrap();
    assert!(error().contains("not what was imported"), "{}", error());
    fs::write(regions.join(&new), &content).unwrap();
    fs::remove_file(regions.join(&old)).unwrap();
    assert!(error().contains(&old), "{}", error());
    // A day whose table cannot be had is told of no region at all; others go on.
    assert!(library.table(day("2024-04-01")).err().unwrap().contains(&old));
    assert_eq!(region(&library, "192.0.2.1", "2024-04-02"), ("KR".into(), 2));
    // Imported again, it is there again.
    assert_eq!(take(data, &[checked(Registry::Apnic, "2024-04-01", JP)], None), []);
    assert_eq!(region(&library, "192.0.2.1", "2024-04-01"), ("JP".into(), 1));
    assert_eq!(error(), "");
}
