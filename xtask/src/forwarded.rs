//! What a subcommand that becomes another program is given: that program's arguments.

use std::ffi::OsString;

#[derive(Debug, clap::Args)]
pub struct Forwarded {
    /// Arguments for the program; `-- --help` shows them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    pub forwarded: Vec<OsString>,
}
