//! Tells the program which compiler has built it.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = Command::new(compiler).arg("--version").output();
    let version = said.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    println!("cargo::rustc-env=APUS_RUSTC={}", version.as_deref().unwrap_or("rustc, version unknown").trim());
}
