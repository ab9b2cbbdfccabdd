//! A browser that does as it is told: chromium, by the WebDriver protocol of its driver.
//!
//! It runs in a network namespace, so that nothing is reached but what the test has put there.

mod http;

use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use testbed::{Namespace, Process};

const DRIVER: &str = "chromedriver";
const PORT: u16 = 9515;
const LONGEST_START: Duration = Duration::from_secs(30);
/// How long anything on a page may take.
const PATIENCE: Duration = Duration::from_secs(60);
const MOMENT: Duration = Duration::from_millis(50);

/// Keys that are not letters, by WebDriver's numbers.
pub const TAB: char = '\u{e004}';
pub const ENTER: char = '\u{e007}';

/// How a person looks at a page.
#[derive(Clone, Copy, Debug)]
pub struct Eyes {
    pub width: u32,
    pub height: u32,
    pub dark: bool,
    /// As in `Accept-Language`.
    pub language: &'static str,
}

impl Eyes {
    pub const DESK: Self = Self { width: 1200, height: 900, dark: false, language: "en" };
    pub const PHONE: Self = Self { width: 390, height: 844, dark: false, language: "en" };
}

/// A running browser. It ends on drop.
pub struct Browser<'a> {
    namespace: &'a Namespace,
    _driver: Process,
    /// Everything that it writes.
    _home: TempDir,
    session: String,
}

impl<'a> Browser<'a> {
    /// Starts it in a namespace whose loopback is up.
    ///
    /// # Errors
    /// Where it is not installed, or does not start.
    pub fn start(namespace: &'a Namespace, eyes: Eyes) -> Result<Self> {
        let home = TempDir::with_prefix("apus-browser-")?;
        let mut command = namespace.command(DRIVER);
        command.arg(format!("--port={PORT}")).env("HOME", home.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let driver = Process::spawn(&mut command)
            .with_context(|| format!("cannot start {DRIVER}: `cargo xtask setup` installs it"))?;
        let mut browser = Self { namespace, _driver: driver, _home: home, session: String::new() };
        let deadline = Instant::now() + LONGEST_START;
        while browser.ask("GET", "/status", &Value::Null).is_err() {
            ensure!(Instant::now() < deadline, "{DRIVER} does not answer: `cargo xtask setup` installs it");
            sleep(MOMENT);
        }
        let arguments = [
            "--headless=new",
            // Root's processes cannot be in it, and a namespace's can reach nobody.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-proxy-server",
            "--disable-background-networking",
        ];
        let options = json!({
            "args": arguments,
            "prefs": { "intl.accept_languages": eyes.language, "intl.selected_languages": eyes.language },
        });
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL" },
            "acceptInsecureCerts": true,
        } } });
        let session = browser.ask("POST", "/session", &wanted)?;
        browser.session = session["sessionId"].as_str().context("the browser began no session")?.to_owned();
        browser.look(eyes)?;
        Ok(browser)
    }

    /// Looks at pages in another way from here on, but for the language.
    ///
    /// # Errors
    /// Where the browser does not do it; of all that follow, too.
    pub fn look(&self, eyes: Eyes) -> Result<()> {
        let Eyes { width, height, dark, .. } = eyes;
        let is_phone = width < 600;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone });
        self.protocol("Emulation.setDeviceMetricsOverride", metrics)?;
        let scheme = if dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.protocol("Emulation.setEmulatedMedia", media)?;
        Ok(())
    }

    /// Lets scripts run in pages, or not.
    ///
    /// # Errors
    /// As [`Browser::look`].
    pub fn scripts(&self, run: bool) -> Result<()> {
        self.protocol("Emulation.setScriptExecutionDisabled", json!({ "value": !run })).map(drop)
    }

    /// Goes to an address, and waits until it is loaded.
    ///
    /// # Errors
    /// As [`Browser::look`].
    pub fn go(&self, url: &str) -> Result<()> {
        self.command("POST", "/url", &json!({ "url": url })).map(drop)
    }

    /// Where it is.
    ///
    /// # Errors
    /// As [`Browser::look`].
    pub fn url(&self) -> Result<String> {
        Ok(self.command("GET", "/url", &Value::Null)?.as_str().context("no address")?.to_owned())
    }

    /// The document as it is now.
    ///
    /// # Errors
    /// As [`Browser::look`].
    pub fn source(&self) -> Result<String> {
        Ok(self.command("GET", "/source", &Value::Null)?.as_str().context("no document")?.to_owned())
    }

    /// What an expression of JavaScript comes to on the page.
    ///
    /// # Errors
    /// As [`Browser::look`], and where it throws.
    pub fn value(&self, expression: &str) -> Result<Value> {
        let script = json!({ "script": format!("return ({expression});"), "args": [] });
        self.command("POST", "/execute/sync", &script)
    }

    /// The words of the first element that a selector finds.
    ///
    /// # Errors
    /// Where there is none.
    pub fn text(&self, selector: &str) -> Result<String> {
        let expression = format!("document.querySelector({})?.innerText ?? null", json!(selector));
        let text = self.value(&expression)?;
        Ok(text.as_str().with_context(|| format!("there is no {selector}"))?.to_owned())
    }

    /// Clicks the first element that a selector finds.
    ///
    /// # Errors
    /// Where there is none, or it cannot be clicked.
    pub fn click(&self, selector: &str) -> Result<()> {
        let found =
            self.command("POST", "/element", &json!({ "using": "css selector", "value": selector }))?;
        let element = found.as_object().and_then(|object| object.values().next()).and_then(Value::as_str);
        let element = element.with_context(|| format!("there is no {selector}"))?;
        self.command("POST", &format!("/element/{element}/click"), &json!({})).map(drop)
    }

    /// Presses keys, one after the other.
    ///
    /// # Errors
    /// As [`Browser::look`].
    pub fn press(&self, keys: &str) -> Result<()> {
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| {
                ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }))
            })
            .collect();
        let actions = json!({ "actions": [{ "type": "key", "id": "keys", "actions": strokes }] });
        self.command("POST", "/actions", &actions).map(drop)
    }

    /// Waits until an expression holds on the page.
    ///
    /// # Errors
    /// Where it does not come to hold.
    pub fn until(&self, expression: &str) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.value(expression).unwrap_or(Value::Null) != Value::Bool(true) {
            ensure!(Instant::now() < deadline, "it does not come to hold: {expression}");
            sleep(MOMENT);
        }
        Ok(())
    }

    /// What the page has complained of.
    ///
    /// # Errors
    /// As [`Browser::look`].
    pub fn complaints(&self) -> Result<Vec<String>> {
        let log = self.command("POST", "/se/log", &json!({ "type": "browser" }))?;
        let entries = log.as_array().context("no log")?.iter();
        let serious = entries.filter(|entry| entry["level"] == "SEVERE");
        Ok(serious.filter_map(|entry| entry["message"].as_str().map(str::to_owned)).collect())
    }

    /// A picture of the whole page, as PNG.
    ///
    /// # Errors
    /// As [`Browser::look`].
    pub fn picture(&self) -> Result<Vec<u8>> {
        let taken = self.protocol("Page.captureScreenshot", json!({ "captureBeyondViewport": true }))?;
        http::from_base64(taken["data"].as_str().context("no picture")?).context("a picture that is none")
    }

    fn protocol(&self, name: &str, parameters: Value) -> Result<Value> {
        self.command("POST", "/goog/cdp/execute", &json!({ "cmd": name, "params": parameters }))
    }

    fn command(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        self.ask(method, &format!("/session/{}{path}", self.session), body)
            .with_context(|| format!("{method} {path}"))
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let mut answer = self.namespace.within(|| http::ask(PORT, method, path, &body))??;
        let value = answer["value"].take();
        if let Some(error) = value["error"].as_str() {
            bail!("the browser says: {error}: {}", value["message"].as_str().unwrap_or_default());
        }
        Ok(value)
    }
}

impl Drop for Browser<'_> {
    fn drop(&mut self) {
        // Has the browser end; the driver alone would leave it.
        let _ends_with_the_namespace =
            self.ask("DELETE", &format!("/session/{}", self.session), &Value::Null);
    }
}
