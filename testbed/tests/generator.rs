//! The generator against XDP programs attached by hand.

use aya::Ebpf;
use aya::programs::XdpMode;
use sensor_user::program;
use testbed::{Generator, Link, Namespace, Order, is_privileged, mix};

#[test]
fn speed() {
    if !is_privileged() { return; }
    let (sender, receiver) = (Namespace::new().unwrap(), Namespace::new().unwrap());
    let link = Link::between(&sender, &receiver).unwrap();
    let mut ebpf = Ebpf::load(sensor_objects::BASELINE).unwrap();
    let drop = program::xdp(&mut ebpf, "bare_drop").unwrap();
    drop.load().unwrap();
    receiver.within(|| drop.attach_to_if_index(link.telescope.index, XdpMode::Driver)).unwrap().unwrap();
    for (name, mix) in [("60", mix::uniform(mix::UniformLength::Sixty)), ("64", mix::uniform(mix::UniformLength::SixtyFour)), ("telescope", mix::telescope())] {
        let mut generator = Generator::new(&mix).unwrap();
        for _ in 0..5 {
        let sent = generator.send(&link, &Order::packets(8_000_000)).unwrap();
        eprintln!("{name}: {} packets, {:?} elapsed, {:?} cpu: {:.2} M/s per cpu second, {:.2} M/s", sent.packets, sent.elapsed, sent.processor_time,
            sent.packets as f64 / sent.processor_time.as_secs_f64() / 1e6, sent.packets as f64 / sent.elapsed.as_secs_f64() / 1e6);
        }
    }
}
