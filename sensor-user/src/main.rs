use clap::Parser;
#[derive(Parser)]
enum C { Replay(sensor_user::replay::Arguments) }
fn main() { let C::Replay(a)=C::parse(); if let Err(e)=sensor_user::replay::run(&a, std::io::stdout()) { eprintln!("{e:?}"); std::process::exit(1) } }
