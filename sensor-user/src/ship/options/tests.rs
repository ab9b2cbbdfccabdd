use super::*;

const FILES: &str = "ca = \"/ca.pem\"\ncertificate = \"/sensor.pem\"\nkey = \"/sensor.key\"\n";

fn resolved(table: &str) -> Result<ShipSettings, String> {
    let options: ShipOptions = toml::from_str(table).map_err(|error| error.to_string())?;
    options.resolve().map_err(|error| error.to_string())
}

#[test]
fn one_address_or_several_and_the_defaults() {
    let one = resolved(&format!("{FILES}url = \"https://collector.example.org:8443\"")).unwrap();
    assert_eq!(one.urls[0].as_str(), "https://collector.example.org:8443/v1/batches");
    assert_eq!((one.concurrency, one.proxy.is_none()), (4, true));
    let two =
        resolved(&format!("{FILES}url = [\"https://[2001:db8::1]:8443/\", \"https://c/apus/\"]")).unwrap();
    let texts: Vec<&str> = two.urls.iter().map(Url::as_str).collect();
    assert_eq!(texts, ["https://[2001:db8::1]:8443/v1/batches", "https://c/apus/v1/batches"]);
}

#[test]
fn what_cannot_be_followed_is_said() {
    let url = "url = \"https://c\"\n";
    let cases = [
        (FILES.to_owned(), "no url"),
        (format!("{FILES}url = []"), "no url"),
        (format!("{FILES}url = \"http://127.0.0.1:80\""), "https://, not http://"),
        (format!("{FILES}url = \"collector:8443\""), "not the address"),
        (format!("{FILES}url = \"https://me:secret@c\""), "not the address"),
        (format!("{FILES}url = \"https://c/?a=b\""), "not the address"),
        (format!("{FILES}url = [\"https://c\", \"https://c/\"]"), "twice"),
        (format!("{FILES}url = 7"), "or a list of them"),
        (url.to_owned(), "no ca"),
        (format!("{url}ca = \"/ca\""), "--certificate"),
        (format!("{url}ca = \"/ca\"\ncertificate = \"/c\""), "--key"),
        (format!("{FILES}{url}proxy = \"https://proxy\""), "not a proxy"),
        (format!("{FILES}{url}proxy = \"proxy:3128\""), "not a proxy"),
        (format!("{FILES}{url}concurrency = 65"), "at most 64"),
        (format!("{FILES}{url}concurrency = 0"), "zero"),
        (format!("{FILES}{url}retries = 3"), "retries"),
    ];
    for (table, word) in cases {
        let error = resolved(&table).expect_err(&table);
        assert!(error.contains(word), "{table}: {error}");
    }
}

#[test]
fn flags_win_over_the_file() {
    let file: ShipOptions = toml::from_str(&format!("{FILES}url = \"https://a\"")).unwrap();
    assert_eq!(ShipFlags::default().options(), None);
    let flags = ShipFlags { collectors: Some(vec!["https://b".into()]), ..ShipFlags::default() };
    let settings = flags.options().unwrap().or(file).resolve().unwrap();
    assert_eq!(settings.urls[0].as_str(), "https://b/v1/batches");
    assert_eq!(settings.key, PathBuf::from("/sensor.key"));
}

#[test]
fn larger_batches_have_longer() {
    let pace = Pace::default();
    assert_eq!(pace.request(0), Duration::from_secs(70));
    assert_eq!(pace.request(16 << 20), Duration::from_secs(70 + 1_024));
}
