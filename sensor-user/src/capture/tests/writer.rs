//! The smallest writer of captures that can still write wrong ones.

use super::super::order::ByteOrder;

/// A packet to be written.
#[derive(Clone, Debug)]
pub struct Sample {
    pub ticks: u64,
    pub original_length: u32,
    pub bytes: Vec<u8>,
}

/// A capture as far as it is written, and where it may be cut without a trace.
#[derive(Clone, Debug)]
pub struct Written {
    pub order: ByteOrder,
    pub bytes: Vec<u8>,
    /// Offsets between two records, and the end.
    pub boundaries: Vec<usize>,
    /// Where each packet's record ends.
    pub packet_ends: Vec<usize>,
}

impl Written {
    fn new(order: ByteOrder) -> Self {
        Self { order, bytes: Vec::new(), boundaries: Vec::new(), packet_ends: Vec::new() }
    }

    fn u16(&self, value: u16) -> [u8; 2] {
        match self.order {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        }
    }

    fn u32(&self, value: u32) -> [u8; 4] {
        match self.order {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        }
    }

    pub fn i64(&self, value: i64) -> [u8; 8] {
        match self.order {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        }
    }

    fn put(&mut self, words: &[u32]) {
        for word in words {
            self.bytes.extend(self.u32(*word));
        }
    }

    fn end_packet(&mut self) {
        self.packet_ends.push(self.bytes.len());
        self.boundaries.push(self.bytes.len());
    }

    /// Begins a classic capture; `magic` as a big-endian machine would write it.
    pub fn classic(order: ByteOrder, magic: u32, link_type: u32) -> Self {
        let mut written = Self::new(order);
        written.put(&[magic]);
        let version = [written.u16(2), written.u16(4)].concat();
        written.bytes.extend(version);
        written.put(&[0, 0, 65_535, link_type]);
        written.boundaries.push(written.bytes.len());
        written
    }

    /// A packet of a classic capture.
    pub fn packet(&mut self, seconds: u32, fraction: u32, original_length: u32, bytes: &[u8]) {
        self.put(&[seconds, fraction, bytes.len() as u32, original_length]);
        self.bytes.extend(bytes);
        self.end_packet();
    }

    /// Begins a pcapng capture.
    pub fn pcapng(order: ByteOrder) -> Self {
        let mut written = Self::new(order);
        written.section(order);
        written
    }

    /// A section header with a comment.
    pub fn section(&mut self, order: ByteOrder) {
        self.order = order;
        let mut body = self.u32(0x1a2b_3c4d).to_vec();
        body.extend([self.u16(1), self.u16(0)].concat());
        body.extend(self.i64(-1));
        body.extend(self.option(1, b"a comment"));
        body.extend(self.option(0, b""));
        self.block(0x0a0d_0d0a, &body);
    }

    pub fn option(&self, code: u16, value: &[u8]) -> Vec<u8> {
        let mut option = self.u16(code).to_vec();
        option.extend(self.u16(value.len() as u16));
        option.extend(value);
        option.resize(option.len().next_multiple_of(4), 0);
        option
    }

    /// An interface description with `options`, already laid out.
    pub fn interface(&mut self, link_type: u16, snap_length: u32, options: &[u8]) {
        let mut body = [self.u16(link_type), self.u16(0)].concat();
        body.extend(self.u32(snap_length));
        body.extend(options);
        self.block(1, &body);
    }

    pub fn enhanced(&mut self, interface: u32, sample: &Sample) {
        let id = self.u32(interface);
        self.timed(6, id, sample);
    }

    pub fn obsolete(&mut self, interface: u16, sample: &Sample) {
        let id = [self.u16(interface), self.u16(7)].concat();
        self.timed(2, [id[0], id[1], id[2], id[3]], sample);
    }

    fn timed(&mut self, block_type: u32, id: [u8; 4], sample: &Sample) {
        let Sample { ticks, original_length, bytes } = sample;
        let mut body = id.to_vec();
        for word in [(ticks >> 32) as u32, *ticks as u32, bytes.len() as u32, *original_length] {
            body.extend(self.u32(word));
        }
        body.extend(bytes);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend(self.option(2, &[1, 0, 0, 0]));
        body.extend(self.option(0, b""));
        self.block(block_type, &body);
        self.packet_ends.push(self.bytes.len());
    }

    pub fn simple(&mut self, original_length: u32, bytes: &[u8]) {
        let mut body = self.u32(original_length).to_vec();
        body.extend(bytes);
        body.resize(body.len().next_multiple_of(4), 0);
        self.block(3, &body);
        self.packet_ends.push(self.bytes.len());
    }

    pub fn block(&mut self, block_type: u32, body: &[u8]) {
        let length = body.len() as u32 + 12;
        self.put(&[block_type, length]);
        self.bytes.extend(body);
        self.put(&[length]);
        self.boundaries.push(self.bytes.len());
    }
}
