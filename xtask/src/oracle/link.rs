//! From the start of a frame to the start of its IP packet.

use anyhow::{Context, Result, ensure};

use super::row::{Field, Row};

/// tshark's `frame.encap_type` of the link layers that `apus-sensor replay` reads.
pub const ETHERNET: u64 = 1;
pub const RAW_IP: u64 = 7;
pub const COOKED: u64 = 25;
pub const RAW_IPV4: u64 = 129;
pub const RAW_IPV6: u64 = 130;
pub const COOKED_2: u64 = 210;
const SUPPORTED: [u64; 6] = [ETHERNET, RAW_IP, COOKED, RAW_IPV4, RAW_IPV6, COOKED_2];

/// Linux's device types (ARPHRD_) on which a cooked header has no Ethertype, whatever is in its place:
/// Frame Relay (770), 802.11 (801 to 803) and Netlink (824).
const DEVICES_WITHOUT_TYPE: [u64; 5] = [770, 801, 802, 803, 824];

const TYPE_IPV4: u64 = 0x0800;
const TYPE_IPV6: u64 = 0x86dd;
const TYPES_VLAN: [u64; 3] = [0x8100, 0x88a8, 0x9100];
const VLAN_TAGS: usize = 2;
const VLAN_TAG_LENGTH: u64 = 4;

pub fn is_supported(encapsulation: u64) -> bool {
    SUPPORTED.contains(&encapsulation)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// An IP packet of this version begins at `offset`: so the link layer says, or a raw packet
    /// itself. Whether the IP header agrees is another question.
    Ip {
        version: u64,
        offset: u64,
    },
    NonIp,
    /// Cut within the link layer's own headers.
    Cut,
}

pub fn link(row: &Row) -> Result<Link> {
    match row.fact(Field::FrameEncapsulation)? {
        ETHERNET => typed(row, 14, Field::EthernetType),
        COOKED => typed(row, 16, Field::CookedType),
        COOKED_2 => typed(row, 20, Field::CookedType),
        RAW_IPV4 => Ok(Link::Ip { version: 4, offset: 0 }),
        RAW_IPV6 => Ok(Link::Ip { version: 6, offset: 0 }),
        other => anyhow::bail!("encapsulation {other} was to be refused or relabelled"),
    }
}

/// A raw packet of either version, in a capture relabelled as raw IPv4: then tshark dissects it as
/// IP whatever it holds, and tells its version.
pub fn raw_link(row: &Row) -> Result<Link> {
    if row.fact(Field::FrameCaptured)? == 0 {
        return Ok(Link::Cut);
    }
    Ok(match row.fact(Field::IpVersion)? {
        version @ (4 | 6) => Link::Ip { version, offset: 0 },
        _ => Link::NonIp,
    })
}

/// A header that ends in an Ethertype, or in something else where an Ethertype would be.
fn typed(row: &Row, header_length: u64, type_field: Field) -> Result<Link> {
    let captured = row.fact(Field::FrameCaptured)?;
    if captured < header_length {
        return Ok(Link::Cut);
    }
    if row.number(Field::CookedDevice, 0)?.is_some_and(|device| DEVICES_WITHOUT_TYPE.contains(&device)) {
        return Ok(Link::NonIp);
    }
    // Whether the *outermost* header holds an Ethertype is in the list of protocols: the field alone
    // may be an inner frame's.
    let protocols = row.text(Field::FrameProtocols, 0).unwrap_or_default();
    let mut protocols = protocols.split(':').skip(1).peekable();
    let mut ethertype = if protocols.next_if_eq(&"ethertype").is_some() {
        row.fact(type_field)?
    } else if let Some(gre_type) = row.number(Field::CookedGreType, 0)? {
        // Captured on a GRE interface: Linux's protocol field is an Ethertype all the same, but
        // tshark does not look behind a VLAN tag here.
        ensure!(!TYPES_VLAN.contains(&gre_type), "a VLAN tag on a GRE interface");
        gre_type
    } else {
        return Ok(Link::NonIp);
    };
    let mut offset = header_length;
    for tag in 0..VLAN_TAGS {
        if !TYPES_VLAN.contains(&ethertype) {
            break;
        }
        if captured < offset + VLAN_TAG_LENGTH {
            return Ok(Link::Cut);
        }
        offset += VLAN_TAG_LENGTH;
        // What follows the tag may be a length (IEEE 802.3) rather than an Ethertype.
        if protocols.next() != Some("vlan") || protocols.next() != Some("ethertype") {
            return Ok(Link::NonIp);
        }
        ethertype = row
            .number(Field::VlanType, tag)?
            .with_context(|| format!("tshark gives no vlan.etype for tag {}", tag + 1))?;
    }
    Ok(match ethertype {
        TYPE_IPV4 => Link::Ip { version: 4, offset },
        TYPE_IPV6 => Link::Ip { version: 6, offset },
        _ => Link::NonIp,
    })
}
