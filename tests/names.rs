//! How the agent finds the addresses of collectors, where there is no library at all.
//!
//! `APUS_ALONE` stands in the environment of a machine that has none, and whose `/etc/hosts` and `/etc/resolv.conf` are
//! this test's: what it looks up there is in the one, or known to the name server that this test is.

use std::net::{IpAddr, Ipv4Addr, ToSocketAddrs as _, UdpSocket};
use std::thread;

use anyhow::{Context as _, Result, ensure};
use sensor_user::names::from_files_and_dns;
use testbed::skips;

/// In that machine's `/etc/hosts`.
const IN_FILES: (&str, Ipv4Addr) = ("collector.files.example", Ipv4Addr::new(192, 0, 2, 1));
const IN_DNS: (&str, Ipv4Addr) = ("collector.dns.example", Ipv4Addr::new(192, 0, 2, 2));

fn addresses(name: &str) -> Result<Vec<IpAddr>> {
    let found = (name, 443).to_socket_addrs().with_context(|| format!("{name} has no address"))?;
    Ok(found.map(|address| address.ip()).collect())
}

#[test]
fn this_host_has_a_name() -> Result<()> {
    from_files_and_dns();
    let found = addresses("localhost")?;
    ensure!(found.iter().all(IpAddr::is_loopback) && !found.is_empty(), "localhost is {found:?}");
    Ok(())
}

#[test]
fn names_are_found_without_a_library() -> Result<()> {
    if std::env::var_os("APUS_ALONE").is_none() {
        skips("this machine's /etc/hosts, /etc/resolv.conf and port 53 are not the test's (no APUS_ALONE)");
        return Ok(());
    }
    from_files_and_dns();
    let (name, address) = IN_FILES;
    ensure!(addresses(name)? == [IpAddr::from(address)], "{name} is {:?}", addresses(name)?);
    let server = UdpSocket::bind("127.0.0.1:53").context("no name server")?;
    thread::spawn(move || answer(&server));
    let (name, address) = IN_DNS;
    ensure!(addresses(name)? == [IpAddr::from(address)], "{name} is {:?}", addresses(name)?);
    ensure!(addresses("nowhere.dns.example").is_err(), "a name that nobody has was found");
    Ok(())
}

/// A name server with one name (RFC 1035).
fn answer(server: &UdpSocket) {
    const HEADER: usize = 12;
    const ADDRESS: [u8; 2] = [0, 1];
    let mut query = [0; 512];
    while let Ok((length, from)) = server.recv_from(&mut query) {
        let Some(name_length) = query[HEADER..length].iter().position(|byte| *byte == 0) else { continue };
        let question = &query[HEADER..(HEADER + name_length + 5).min(length)];
        let (name, address) = IN_DNS;
        let wanted: Vec<u8> = name
            .split('.')
            .flat_map(|part| [&[u8::try_from(part.len()).unwrap_or(0)], part.as_bytes()].concat())
            .collect();
        let is_known = question[..name_length] == wanted[..];
        let is_answered = is_known && question[name_length + 1..name_length + 3] == ADDRESS;
        // An answer that recursion was available for; without the name, that there is none.
        let code = if is_known { 0x80 } else { 0x83 };
        let answers = u8::from(is_answered);
        let mut reply = vec![query[0], query[1], 0x81, code, 0, 1, 0, answers, 0, 0, 0, 0];
        reply.extend(question);
        if is_answered {
            // The name of the question, an address, of the Internet, for a minute.
            reply.extend([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
            reply.extend(address.octets());
        }
        let _lost = server.send_to(&reply, from);
    }
}
