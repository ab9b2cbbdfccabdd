//! A network between a sensor's host and its collector's: what can be cut, and slowed down.

use crate::{Error, Namespace, command};

/// A pair of interfaces with an address each, and no route to anywhere else.
#[derive(Debug)]
pub struct Uplink<'a> {
    collector: &'a Namespace,
    sensor: &'a Namespace,
    interfaces: [String; 2],
    network: u8,
}

impl<'a> Uplink<'a> {
    /// Connects two namespaces; the networks of one namespace have different numbers.
    ///
    /// # Errors
    /// Where `ip` is absent or fails.
    pub fn between(sensor: &'a Namespace, collector: &'a Namespace, network: u8) -> Result<Self, Error> {
        let interfaces = [sensor.next_interface("uplink"), collector.next_interface("uplink")];
        let [ours, theirs] = &interfaces;
        command::ip(&[
            "link",
            "add",
            ours,
            "netns",
            sensor.name(),
            "type",
            "veth",
            "peer",
            "name",
            theirs,
            "netns",
            collector.name(),
        ])?;
        let uplink = Self { collector, sensor, interfaces, network };
        for (namespace, interface, address) in [
            (sensor, &uplink.interfaces[0], uplink.sensor_address()),
            (collector, &uplink.interfaces[1], uplink.collector_address()),
        ] {
            namespace.run("ip", &["address", "add", &format!("{address}/24"), "dev", interface])?;
            namespace.run("ip", &["link", "set", "dev", interface, "up"])?;
            namespace.run("ip", &["link", "set", "dev", "lo", "up"])?;
        }
        Ok(uplink)
    }

    /// The address that the sensor's host has.
    #[must_use]
    pub fn sensor_address(&self) -> String {
        self.address(1)
    }

    /// The address that the collector has.
    #[must_use]
    pub fn collector_address(&self) -> String {
        self.address(2)
    }

    /// In the networks for benchmarks (RFC 2544), which nobody else has.
    fn address(&self, host: u8) -> String {
        format!("198.18.{}.{host}", self.network)
    }

    /// Takes the cable out: nobody is told, packets just do not arrive.
    ///
    /// # Errors
    /// Where `ip` fails.
    pub fn cut(&self) -> Result<(), Error> {
        self.set("down")
    }

    /// Puts it in again.
    ///
    /// # Errors
    /// Where `ip` fails.
    pub fn mend(&self) -> Result<(), Error> {
        self.set("up")
    }

    fn set(&self, state: &str) -> Result<(), Error> {
        self.collector.run("ip", &["link", "set", "dev", &self.interfaces[1], state]).map(drop)
    }

    /// Lets through so many bits per second from the sensor, from now on; none for as many as there are.
    ///
    /// # Errors
    /// Where the kernel has no such queue.
    pub fn slow_down(&self, bits_per_second: Option<u32>) -> Result<(), Error> {
        let [interface, _] = &self.interfaces;
        let Some(rate) = bits_per_second else {
            return self.sensor.run("tc", &["qdisc", "delete", "dev", interface, "root"]).map(drop);
        };
        let rate = format!("{rate}bit");
        let mut words = vec!["qdisc", "replace", "dev", interface, "root", "tbf", "rate", &rate];
        words.extend(["burst", "16kb", "latency", "200ms"]);
        self.sensor.run("tc", &words).map(drop)
    }
}
