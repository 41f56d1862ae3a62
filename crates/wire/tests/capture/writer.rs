//! Writes captures, after the format descriptions and not after the reader.

/// Byte order and field widths.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    Little,
    Big,
}

impl Order {
    pub const BOTH: [Order; 2] = [Order::Little, Order::Big];

    pub fn u16(self, value: u16) -> [u8; 2] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    pub fn u32(self, value: u32) -> [u8; 4] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    pub fn u64(self, value: u64) -> [u8; 8] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }
}

/// One packet to write.
#[derive(Clone, Debug)]
pub struct Sample {
    pub time_ns: i64,
    pub wire_len: u32,
    pub data: Vec<u8>,
}

/// Packets of various lengths whose times are whole microseconds.
pub fn samples(count: usize) -> Vec<Sample> {
    (0..count)
        .map(|i| {
            let len = [60, 61, 0, 1514, 74, 7][i % 6];
            Sample {
                time_ns: 1_600_000_000_123_456_000 + i as i64 * 1_000_001_000,
                wire_len: len as u32 + [0, 0, 9][i % 3],
                data: (0..len).map(|b| (b * 7 + i * 13) as u8).collect(),
            }
        })
        .collect()
}

pub const MICRO: u32 = 0xa1b2_c3d4;
pub const NANO: u32 = 0xa1b2_3c4d;
pub const MODIFIED: u32 = 0xa1b2_cd34;

/// How to write a pcap file.
#[derive(Clone, Copy, Debug)]
pub struct Pcap {
    pub order: Order,
    pub magic: u32,
    pub version: (u16, u16),
    pub swap_lengths: bool,
    pub snaplen: u32,
    pub network: u32,
    /// Bytes behind the sixteen of the record header.
    pub extra: usize,
}

impl Default for Pcap {
    fn default() -> Self {
        Self {
            order: Order::Little,
            magic: MICRO,
            version: (2, 4),
            swap_lengths: false,
            snaplen: 262_144,
            network: 1,
            extra: 0,
        }
    }
}

impl Pcap {
    pub fn header(&self) -> Vec<u8> {
        let o = self.order;
        [
            &o.u32(self.magic)[..],
            &o.u16(self.version.0),
            &o.u16(self.version.1),
            &o.u32(0), // thiszone
            &o.u32(0), // sigfigs
            &o.u32(self.snaplen),
            &o.u32(self.network),
        ]
        .concat()
    }

    pub fn raw_record(&self, seconds: u32, fraction: u32, caplen: u32, len: u32, data: &[u8]) -> Vec<u8> {
        let o = self.order;
        let (first, second) = if self.swap_lengths {
            (len, caplen)
        } else {
            (caplen, len)
        };
        let mut bytes = [o.u32(seconds), o.u32(fraction), o.u32(first), o.u32(second)].concat();
        bytes.resize(16 + self.extra, 0x5a);
        bytes.extend_from_slice(data);
        bytes
    }

    pub fn record(&self, sample: &Sample) -> Vec<u8> {
        let seconds = (sample.time_ns / 1_000_000_000) as u32;
        let ns = (sample.time_ns % 1_000_000_000) as u32;
        let fraction = if self.magic == NANO { ns } else { ns / 1000 };
        self.raw_record(
            seconds,
            fraction,
            sample.data.len() as u32,
            sample.wire_len,
            &sample.data,
        )
    }

    pub fn file(&self, samples: &[Sample]) -> Vec<u8> {
        let mut bytes = self.header();
        for sample in samples {
            bytes.extend(self.record(sample));
        }
        bytes
    }
}

/// Writes pcapng blocks in one byte order.
#[derive(Clone, Copy, Debug)]
pub struct Ng(pub Order);

impl Ng {
    pub fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let mut body = body.to_vec();
        body.resize(body.len().next_multiple_of(4), 0);
        let len = self.0.u32(body.len() as u32 + 12);
        [&self.0.u32(kind)[..], &len, &body, &len].concat()
    }

    pub fn section(self, length: i64) -> Vec<u8> {
        let o = self.0;
        let body = [&o.u32(0x1a2b_3c4d)[..], &o.u16(1), &o.u16(0), &o.u64(length as u64)].concat();
        self.block(0x0a0d_0d0a, &body)
    }

    pub fn option(self, code: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = [&self.0.u16(code)[..], &self.0.u16(value.len() as u16), value].concat();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    pub fn interface(self, link: u16, snaplen: u32, options: &[u8]) -> Vec<u8> {
        let o = self.0;
        self.block(1, &[&o.u16(link)[..], &o.u16(0), &o.u32(snaplen), options].concat())
    }

    /// An interface with `if_tsresol`, an offset, options around them that are of no interest, and an end of options.
    pub fn interface_with_clock(self, link: u16, resolution: u8, offset: i64) -> Vec<u8> {
        let options = [
            self.option(2, b"eth0"),
            self.option(9, &[resolution]),
            self.option(14, &self.0.u64(offset as u64)),
            self.option(12, b"Linux"),
            self.option(0, &[]),
        ]
        .concat();
        self.interface(link, 0, &options)
    }

    pub fn enhanced(self, interface: u32, units: u64, caplen: u32, len: u32, data: &[u8], options: &[u8]) -> Vec<u8> {
        let o = self.0;
        let mut body = [
            o.u32(interface),
            o.u32((units >> 32) as u32),
            o.u32(units as u32),
            o.u32(caplen),
            o.u32(len),
        ]
        .concat();
        body.extend_from_slice(data);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend_from_slice(options);
        self.block(6, &body)
    }

    /// An Enhanced Packet Block with time in nanoseconds.
    pub fn packet(self, interface: u32, sample: &Sample) -> Vec<u8> {
        let options = [
            self.option(2, &self.0.u32(0)),
            self.option(1, b"a comment"),
            self.option(0, &[]),
        ]
        .concat();
        let len = sample.data.len() as u32;
        self.enhanced(
            interface,
            sample.time_ns as u64,
            len,
            sample.wire_len,
            &sample.data,
            &options,
        )
    }

    pub fn obsolete(self, interface: u16, sample: &Sample) -> Vec<u8> {
        let o = self.0;
        let units = sample.time_ns as u64;
        let body = [
            &o.u16(interface)[..],
            &o.u16(0xffff), // drops: unknown
            &o.u32((units >> 32) as u32),
            &o.u32(units as u32),
            &o.u32(sample.data.len() as u32),
            &o.u32(sample.wire_len),
            &sample.data,
        ]
        .concat();
        self.block(2, &body)
    }

    pub fn simple(self, wire_len: u32, data: &[u8]) -> Vec<u8> {
        self.block(3, &[&self.0.u32(wire_len)[..], data].concat())
    }

    /// One section with one interface in nanoseconds.
    pub fn file(self, samples: &[Sample]) -> Vec<u8> {
        let mut bytes = [self.section(-1), self.interface_with_clock(1, 9, 0)].concat();
        for sample in samples {
            bytes.extend(self.packet(0, sample));
        }
        bytes
    }
}
