//! A peer at work: a program of Debian's, or our own, started as its configuration says.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use testbed::Process;

use super::config::{Program, Source, Stop};
use super::{Counted, Place, Running};
use crate::peers::processes;

/// How long it may take until it says that it counts.
const LONGEST_START: Duration = Duration::from_secs(15);
/// How long it may take to end, and to write what it has.
const LONGEST_STOP: Duration = Duration::from_secs(20);
/// How long it may take to say what it has counted.
const LONGEST_ANSWER: Duration = Duration::from_secs(20);
const MOMENT: Duration = Duration::from_millis(20);
const OUTPUT: &str = "output.txt";
const MESSAGES: &str = "messages.txt";

/// A started program.
pub struct Started<'a> {
    program: &'a Program,
    place: &'a Place<'a>,
    process: Process,
}

impl<'a> Started<'a> {
    pub fn start(program: &'a Program, place: &'a Place<'a>) -> Result<Self> {
        let files = files(place);
        let failed = || format!("cannot write into {}", files.display());
        fs::create_dir(&files).with_context(failed)?;
        if let Some((name, text)) = program.file()? {
            fs::write(files.join(name), filled(text, place)?).with_context(failed)?;
        }
        let mut command = command(program, &program.command, place)?;
        command.stdout(File::create(place.folder.join(OUTPUT))?);
        command.stderr(File::create(place.folder.join(MESSAGES))?);
        command.stdin(if program.stop == Stop::Newline { Stdio::piped() } else { Stdio::null() });
        let mut started = Self { process: Process::spawn(&mut command)?, program, place };
        started.wait_until_ready()?;
        Ok(started)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + LONGEST_START;
        loop {
            ensure!(!self.place.bed.interrupted.load(Ordering::Relaxed), "interrupted");
            let said = self.said();
            let words = self.program.ready.as_ref().is_some_and(|words| said.contains(words.as_str()));
            let port = self.program.ready_port.is_some_and(|port| self.connect(port).is_ok());
            if words || port {
                thread::sleep(Duration::from_millis(self.program.ready_milliseconds));
                return Ok(());
            }
            if let Some(status) = self.process.try_wait()? {
                bail!("it ended by itself ({status}), and said: {}", last_words(&said));
            }
            ensure!(Instant::now() < deadline, "it is not ready; it says: {}", last_words(&said));
            thread::sleep(MOMENT);
        }
    }

    /// Both of its streams.
    fn said(&self) -> String {
        let text = |name| fs::read(self.place.folder.join(name)).unwrap_or_default();
        String::from_utf8_lossy(&[text(MESSAGES), text(OUTPUT)].concat()).into_owned()
    }

    fn connect(&self, port: u16) -> Result<TcpStream> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let namespace = self.place.bed.link.telescope.namespace;
        Ok(namespace.within(|| TcpStream::connect_timeout(&address, Duration::from_secs(2)))??)
    }

    fn page(&self, port: u16) -> Result<String> {
        let mut stream = self.connect(port).context("its page does not answer")?;
        stream.set_read_timeout(Some(LONGEST_STOP))?;
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
        let mut page = String::new();
        stream.read_to_string(&mut page).context("its page cannot be read")?;
        Ok(page)
    }

    fn answer(&self, words: &[String]) -> Result<String> {
        // What has been started reads files that may be long, and may wait for who does not answer.
        let seconds = LONGEST_ANSWER.as_secs().to_string();
        let mut command = command(self.program, words, self.place)?;
        let mut bounded = Command::new("timeout");
        bounded.args(["--kill-after=1", &seconds]).arg(command.get_program()).args(command.get_args());
        if let Some(folder) = command.get_current_dir() {
            bounded.current_dir(folder);
        }
        command = bounded;
        let answer = testbed::run(&mut command);
        answer.with_context(|| format!("no answer within {seconds} s, or none at all"))
    }

    fn end(&mut self) -> Result<()> {
        let process = Pid::from_raw(self.process.id().cast_signed());
        match self.program.stop {
            Stop::Interrupt => kill(process, Signal::SIGINT)?,
            Stop::Terminate => kill(process, Signal::SIGTERM)?,
            Stop::Newline => self.process.stdin.take().context("it does not listen")?.write_all(b"\n")?,
        }
        let deadline = Instant::now() + LONGEST_STOP;
        let namespace = self.place.bed.link.telescope.namespace;
        // Children of its own write the last of what it has.
        while self.process.try_wait()?.is_none() || !processes::inside(namespace)?.is_empty() {
            ensure!(Instant::now() < deadline, "it does not end; it says: {}", last_words(&self.said()));
            thread::sleep(MOMENT);
        }
        Ok(())
    }
}

impl Running for Started<'_> {
    fn settles_in(&self) -> Duration {
        Duration::from_millis(self.program.settle_milliseconds)
    }

    fn polls(&self) -> bool {
        self.program.polls
    }

    fn stop(mut self: Box<Self>) -> Result<Counted> {
        if let Some(status) = self.process.try_wait()? {
            bail!("it ended by itself ({status}), and said: {}", last_words(&self.said()));
        }
        let count = &self.program.count;
        let text = match &count.source {
            Source::Answer { command } => {
                let text = self.answer(command)?;
                self.end()?;
                text
            }
            Source::Page { port } => {
                let text = self.page(*port)?;
                self.end()?;
                text
            }
            Source::Afterwards { command } => {
                self.end()?;
                self.answer(command)?
            }
            Source::Output => self.ended(&self.place.folder.join(OUTPUT))?,
            Source::Messages => self.ended(&self.place.folder.join(MESSAGES))?,
            Source::File { file } => self.ended(&files(self.place).join(file))?,
        };
        count.find(&text).map(Counted::packets)
    }
}

impl Started<'_> {
    /// Ends it, and gives a file of what it has written.
    fn ended(&mut self, path: &Path) -> Result<String> {
        self.end()?;
        let text = fs::read(path);
        let said = || format!("cannot read {}; it said: {}", path.display(), last_words(&self.said()));
        Ok(String::from_utf8_lossy(&text.with_context(said)?).into_owned())
    }
}

impl Drop for Started<'_> {
    fn drop(&mut self) {
        // Its children are not the process that is killed by its own guard.
        processes::kill_all_inside(self.place.bed.link.telescope.namespace);
    }
}

/// A command as the configuration has it, inside the namespace, on the CPU for programs.
fn command(program: &Program, words: &[String], place: &Place<'_>) -> Result<Command> {
    let words: Vec<String> = words.iter().map(|word| filled(word, place)).collect::<Result<_>>()?;
    let (name, arguments) = words.split_first().context("a configuration without a command")?;
    let path = if name.starts_with('/') { PathBuf::from(name) } else { find(program, name, place)? };
    let cpus = if program.every_cpu { place.bed.cpus } else { &[place.bed.run_cpu] };
    let cpus: Vec<String> = cpus.iter().map(usize::to_string).collect();
    let mut command = place.bed.link.telescope.namespace.command("taskset");
    command.args(["--cpu-list", &cpus.join(","), "env"]);
    command.args(place.bed.packages.environment());
    for variable in &program.environment {
        command.arg(filled(variable, place)?);
    }
    command.arg(path).args(arguments).current_dir(files(place));
    Ok(command)
}

fn find(program: &Program, name: &str, place: &Place<'_>) -> Result<PathBuf> {
    let package = program.package.as_deref().unwrap_or("apus");
    place.bed.packages.find(name).with_context(|| {
        format!("{name} is not installed: `cargo xtask setup --for peers` unpacks Debian's package {package}")
    })
}

/// The program's own folder, in which nobody else writes: some read all that is there.
fn files(place: &Place<'_>) -> PathBuf {
    place.folder.join("files")
}

/// Text with what is known only here in place of the words in braces.
fn filled(text: &str, place: &Place<'_>) -> Result<String> {
    let this = std::env::current_exe().context("cannot find this program's own file")?;
    let path = |path: &Path| path.to_str().map(str::to_owned).context("a path that is not text");
    Ok(text
        .replace("{interface}", &place.bed.link.telescope.interface)
        .replace("{folder}", &path(&files(place))?)
        .replace("{libraries}", &path(&place.bed.packages.libraries())?)
        .replace("{drivers}", &path(&place.bed.packages.drivers())?)
        .replace("{bench}", &path(&this)?)
        .replace("{cpus}", &place.bed.cpus.len().to_string())
        .replace("{cpu}", &place.bed.run_cpu.to_string()))
}

/// The end of what it said, where the reason is.
fn last_words(said: &str) -> String {
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(4)..].join("; ")
}
