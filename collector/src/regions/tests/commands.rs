use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;

use clap::Parser as _;

use super::super::RegionsError;
use super::*;
use crate::cli::{Command, CommandLine};

fn run(data: &Path, arguments: &[&str]) -> (Result<(), RegionsError>, String) {
    let [command, others @ ..] = arguments else { panic!("no command") };
    let data = data.to_str().unwrap();
    let line =
        ["apus-collector", "regions", command, "--data", data].into_iter().chain(others.iter().copied());
    let Command::Regions(arguments) = CommandLine::try_parse_from(line).unwrap().command else {
        panic!("another one")
    };
    let mut output = Vec::new();
    let result = super::super::command::run(&arguments, &mut output);
    (result, String::from_utf8(output).unwrap())
}

/// A folder with a file of each registry, under the names that they have.
fn folder_of_files(folder: &Path, date: &str) {
    for (registry, code) in Registry::ALL.into_iter().zip(["ZA", "JP", "US", "BR", "NL"]) {
        let net = registry as u8;
        let records = [format!("{code}|ipv4|192.0.{net}.0|256"), format!("{code}|ipv6|2001:db8:{net}::|48")];
        let records = records.each_ref().map(String::as_str);
        fs::write(folder.join(registry.file()), file(registry, date, &records)).unwrap();
    }
}

#[test]
fn files_are_imported_and_looked_up() {
    let [data, files] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    folder_of_files(files.path(), "2024-04-01");
    let paths = Registry::ALL.map(|registry| files.path().join(registry.file()).to_str().unwrap().to_owned());
    let paths = paths.each_ref().map(String::as_str);
    let (result, output) = run(data.path(), &[&["import"][..], &paths].concat());
    result.unwrap();
    assert!(output.starts_with("version 1, in force from 2024-04-01: afrinic 2024-04-01, apnic"), "{output}");
    let (result, output) =
        run(data.path(), &["lookup", "192.0.1.7", "2001:db8:4::1", "198.51.100.1", "--on", "2024-04-02"]);
    result.unwrap();
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines[0], "192.0.1.7: JP Japan 日本 (version 1, in force on 2024-04-02)");
    assert!(
        lines[1].contains("apnic-2024-04-01-")
            && lines[1].ends_with("line 5: apnic|JP|ipv4|192.0.1.0|256|20010203|allocated|a1b2c3"),
        "{output}"
    );
    assert_eq!(lines[2], "2001:db8:4::1: NL Netherlands オランダ (version 1, in force on 2024-04-02)");
    assert_eq!(lines[4], "198.51.100.1: ZZ Unknown 不明 (version 1, in force on 2024-04-02)");
    let (_, json) = run(data.path(), &["lookup", "192.0.1.7", "--on", "2024-03-31", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json[0]["region"], &json[0]["version"]), (&"ZZ".into(), &0.into()));
    assert!(json[0]["record"].is_null());
    let (_, list) = run(data.path(), &["list"]);
    assert_eq!(list.lines().count(), 1);
    assert!(run(data.path(), &["list", "--json"]).1.contains("\"sha256\""));
    assert!(run(files.path(), &["list"]).1.contains("no table yet"));
}

#[test]
fn of_files_one_of_which_is_wrong_none_is_taken_in() {
    let [data, files] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    folder_of_files(files.path(), "2024-04-01");
    let [good, bad] = [Registry::Arin, Registry::Apnic].map(|registry| files.path().join(registry.file()));
    let text = fs::read_to_string(&bad).unwrap();
    fs::write(&bad, text.replace("192.0.1.0", "192.0.1.256")).unwrap();
    let (result, _) = run(data.path(), &["import", good.to_str().unwrap(), bad.to_str().unwrap()]);
    let error = crate::one_line(&result.unwrap_err());
    assert!(error.contains("delegated-apnic-extended-latest, line 5: \"192.0.1.256\""), "{error}");
    assert!(!data.path().join("regions").exists());
}

#[test]
fn an_update_leaves_out_what_is_not_to_be_had() {
    let [data, files] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    folder_of_files(files.path(), "2024-04-01");
    let from = ["update", "--from-folder", files.path().to_str().unwrap()];
    let lacnic = files.path().join(Registry::Lacnic.file());
    let whole = fs::read_to_string(&lacnic).unwrap();
    fs::write(&lacnic, &whole[..whole.len() - 40]).unwrap();
    fs::copy(files.path().join(Registry::Apnic.file()), files.path().join(Registry::Ripencc.file())).unwrap();
    let (result, output) = run(data.path(), &from);
    assert!(matches!(result, Err(RegionsError::Incomplete { failed: 2, registries: 5 })), "{result:?}");
    assert!(output.contains("lacnic: failed: ") && output.contains("line 6: "), "{output}");
    assert!(output.contains("ripencc: failed: ") && output.contains("is a file of apnic"), "{output}");
    assert!(
        output.contains(
            "version 1, in force from 2024-04-01: afrinic 2024-04-01, apnic 2024-04-01, arin 2024-04-01\n"
        ),
        "{output}"
    );
    folder_of_files(files.path(), "2024-04-02");
    let (result, output) = run(data.path(), &from);
    result.unwrap();
    assert!(output.contains("version 2, in force from 2024-04-02: "), "{output}");
    assert!(run(data.path(), &from).1.contains("no new version"));
}

/// Answers as a mirror does that has the files of a folder, and says what it has been asked for.
fn mirror(folder: &Path) -> (String, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/stats/{{registry}}/", listener.local_addr().unwrap());
    let (sender, asked) = std::sync::mpsc::channel();
    let folder = folder.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read(&mut byte).unwrap() == 0 {
                    break;
                }
                request.push(byte[0]);
            }
            let request = String::from_utf8(request).unwrap();
            let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
            let file = folder.join(path.rsplit('/').next().unwrap_or_default());
            let _nobody_asks = sender.send(path);
            let (status, content) = match fs::read(file) {
                Ok(content) => ("200 OK", content),
                Err(_) => ("404 Not Found", b"nothing is there".to_vec()),
            };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                content.len()
            );
            stream.write_all(&[head.as_bytes(), &content].concat()).unwrap();
        }
    });
    (address, asked)
}

#[test]
fn an_update_asks_a_mirror() {
    let [data, files] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    folder_of_files(files.path(), "2024-04-01");
    fs::remove_file(files.path().join(Registry::Arin.file())).unwrap();
    let (address, asked) = mirror(files.path());
    let (result, output) = run(data.path(), &["update", "--from-mirror", &address]);
    assert!(matches!(result, Err(RegionsError::Incomplete { failed: 1, .. })), "{result:?} {output}");
    assert!(output.contains("answers 404"), "{output}");
    let asked: Vec<String> = asked.try_iter().collect();
    let expected =
        Registry::ALL.map(|registry| format!("/stats/{registry}/delegated-{registry}-extended-latest"));
    assert_eq!(asked, expected);
    let library = Library::open(data.path()).unwrap();
    assert_eq!(region(&library, "192.0.1.1", "2024-04-01"), ("JP".into(), 1));
}
