//! Everything that can be wrong with a capture, by name, counted.

macro_rules! defects {
    ($($variant:ident $name:literal $doc:literal),* $(,)?) => {
        /// One kind of damage. The name is part of the JSON contract (`defects` {kind: n}).
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum Defect { $(#[doc = $doc] $variant),* }

        impl Defect {
            /// Every kind, in declaration order.
            pub const ALL: &'static [Defect] = &[$(Defect::$variant),*];

            /// The name in JSON and in what a person reads.
            pub const fn name(self) -> &'static str {
                match self { $(Defect::$variant => $name),* }
            }

            /// One sentence for a person.
            pub const fn meaning(self) -> &'static str {
                match self { $(Defect::$variant => $doc),* }
            }
        }
    };
}

defects! {
    CutOff "cut_off" "The file ends inside a record: it was cut off, or is still being written.",
    CorruptRecord "corrupt_record" "A record header claims what cannot be; the reader searched for the next plausible record.",
    CorruptBlock "corrupt_block" "A pcapng block whose lengths contradict each other was skipped.",
    CorruptCompression "corrupt_compression" "The compressed stream is damaged; what came before the damage was read, and the members or frames of their own behind it.",
    ReadError "read_error" "The operating system failed to read on; what came before was read.",
    UnknownInterface "unknown_interface" "A pcapng packet names an interface that the section never described.",
    UnknownLinkType "unknown_link_type" "A link layer that halfopen does not read.",
    TimeOutOfRange "time_out_of_range" "A time stamp that does not fit 64 bits of nanoseconds.",
    LinkTruncated "link_truncated" "The captured bytes end inside the link-layer header or the header of a tunnel.",
    IpTruncated "ip_truncated" "The captured bytes end inside the IP header or its extension headers.",
    IpMalformed "ip_malformed" "An IP header whose version or lengths contradict each other.",
    TcpTruncated "tcp_truncated" "The captured bytes end inside the 20 bytes of the TCP header that are always there.",
    TcpMalformed "tcp_malformed" "A TCP header that does not fit its segment: a data offset below 5 words or beyond the end, or fewer than 20 bytes.",
    OptionsTruncated "options_truncated" "The captured bytes end inside the TCP options of a SYN.",
    OptionsMalformed "options_malformed" "A TCP option of a SYN with an impossible length; the options that could be read were kept.",
    IcmpTruncated "icmp_truncated" "An ICMP error that quotes too little to name the segment it is about.",
    TunnelTooDeep "tunnel_too_deep" "More encapsulations inside one another than halfopen follows.",
    Fragment "fragment" "An IP fragment that is not the first: it carries no TCP header.",
    BadIpChecksum "bad_ip_checksum" "The IPv4 header checksum is wrong (verified only on request).",
    BadTcpChecksum "bad_tcp_checksum" "The TCP checksum is wrong (verified only on request).",
}

/// A counter for each [`Defect`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Defects([u64; Defect::ALL.len()]);

impl Default for Defects {
    fn default() -> Self {
        Self([0; Defect::ALL.len()])
    }
}

impl Defects {
    /// Counts one more of `kind`.
    pub fn add(&mut self, kind: Defect) {
        self.0[kind as usize] += 1;
    }

    /// How many of `kind`.
    pub fn count(&self, kind: Defect) -> u64 {
        self.0[kind as usize]
    }

    /// The kinds that occurred, with their counts.
    pub fn nonzero(&self) -> impl Iterator<Item = (Defect, u64)> + '_ {
        Defect::ALL.iter().map(|&d| (d, self.count(d))).filter(|&(_, n)| n > 0)
    }

    /// Adds another counter to this one.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }
}
