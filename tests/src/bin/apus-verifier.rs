//! `apus-verifier`: what each of the sensor's programs costs the verifier of the running kernel, as JSON.

use anyhow::Result;
use end_to_end::verifier::costs;
use sensor_user::config::Options;
use testbed::mix;

fn main() -> Result<()> {
    // What a sensor is told at least: what it observes.
    let observed = mix::OBSERVED.map(str::parse).into_iter().collect::<Result<Vec<_>, _>>()?;
    let plain = Options { observed: Some(observed), ..Options::default() };
    let folder = tempfile::tempdir()?;
    let evidence =
        toml::from_str::<Options>(&format!("[evidence]\nfolder = {:?}", folder.path()))?.or(plain.clone());
    let release = nix::sys::utsname::uname()?.release().to_string_lossy().into_owned();
    let costs = costs(&[plain.resolve()?, evidence.resolve()?])?;
    println!("{}", serde_json::json!({ "release": release, "programs": costs }));
    Ok(())
}
