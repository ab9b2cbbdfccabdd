//! `page user`: people who may look at the page.

use std::io::{self, BufRead as _, IsTerminal as _, Write};
use std::os::fd::AsFd as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};

use super::users::{self, UsersError};
use crate::config::{ConfigError, StoreFlags};

/// About the page that people look at
#[derive(Args, Clone, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// People who log in with a password
    #[command(subcommand)]
    User(User),
}

#[derive(Clone, Debug, Subcommand)]
enum User {
    /// Adds a person, or sets another password; asks for it, or reads one line where nobody can be asked
    Add {
        name: String,
        #[command(flatten)]
        file: UsersFile,
    },
    /// Removes a person, who is logged out at once
    Remove {
        name: String,
        #[command(flatten)]
        file: UsersFile,
    },
    /// Tells who there is
    List {
        #[command(flatten)]
        file: UsersFile,
    },
}

#[derive(Args, Clone, Debug)]
struct UsersFile {
    #[command(flatten)]
    flags: StoreFlags,
    /// The file of users [default: page_users of the configuration]
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
}

/// Why nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("no file of users: name it with --users, or as page_users in the configuration, with --config")]
    NoFile,
    #[error(transparent)]
    Users(#[from] UsersError),
    #[error("the two passwords are not the same")]
    Different,
    #[error("cannot ask for the password: {0}")]
    Ask(#[source] io::Error),
    #[error("cannot print: {0}")]
    Print(#[source] io::Error),
}

impl UsersFile {
    fn path(&self) -> Result<PathBuf, UserError> {
        if let Some(path) = &self.users {
            return Ok(path.clone());
        }
        self.flags.options()?.page_users.ok_or(UserError::NoFile)
    }
}

/// Does it.
///
/// # Errors
/// Where it cannot be done.
pub fn run(arguments: &Arguments, output: &mut impl Write) -> Result<(), UserError> {
    let What::User(user) = &arguments.what;
    match user {
        User::Add { name, file } => {
            let path = file.path()?;
            users::add(&path, name, &password()?)?;
            writeln!(output, "{name} can log in, as {} says", path.display()).map_err(UserError::Print)
        }
        User::Remove { name, file } => Ok(users::remove(&file.path()?, name)?),
        User::List { file } => {
            let list = users::read(&file.path()?)?;
            list.keys().try_for_each(|name| writeln!(output, "{name}")).map_err(UserError::Print)
        }
    }
}

/// A password from the terminal, twice and unseen; or the one line of another input.
fn password() -> Result<String, UserError> {
    let input = io::stdin();
    if !input.is_terminal() {
        return line().map_err(UserError::Ask);
    }
    let password = unseen("Password: ").map_err(UserError::Ask)?;
    if unseen("Once more: ").map_err(UserError::Ask)? != password {
        return Err(UserError::Different);
    }
    Ok(password)
}

fn line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

fn unseen(prompt: &str) -> io::Result<String> {
    let input = io::stdin();
    let before = tcgetattr(input.as_fd())?;
    let mut quiet = before.clone();
    quiet.local_flags.remove(LocalFlags::ECHO);
    eprint!("{prompt}");
    tcsetattr(input.as_fd(), SetArg::TCSAFLUSH, &quiet)?;
    let read = line();
    tcsetattr(input.as_fd(), SetArg::TCSAFLUSH, &before)?;
    eprintln!();
    read
}
