//! What a SYN or SYN-ACK offered, in the 16 bytes that a table of millions has for it.

use halfopen_wire::{FastOpenOption, Segment, SynOptions};

use crate::record::SideOptions;

/// [`SideOptions`] in 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PackedOptions {
    pub(crate) tsval: u32,
    pub(crate) tsecr: u32,
    pub(crate) mss: u16,
    pub(crate) window: u16,
    pub(crate) bits: u16,
    pub(crate) window_scale: u8,
    /// Low 3 bits ACE, high 5 bits the cookie's length (RFC 7413: 4 to 16 bytes).
    pub(crate) ace_cookie: u8,
    pub(crate) unknown: u8,
}

impl PackedOptions {
    const MSS: u16 = 1;
    const WSCALE: u16 = 2;
    const SACK: u16 = 4;
    pub(crate) const TS: u16 = 8;
    const TFO_REQUEST: u16 = 16;
    const TFO_COOKIE: u16 = 32;
    const MPTCP: u16 = 64;
    const MD5: u16 = 128;
    const AO: u16 = 256;
    const INCOMPLETE: u16 = 512;
    const ECN: u16 = 1024;
    const WINDOW_CUT: u16 = 2048;
    const FRAGMENTED: u16 = 4096;
    const CUT: u16 = 8192;

    /// What a SYN or SYN-ACK offers; `None` for another segment.
    pub fn of(segment: &Segment) -> Option<Self> {
        SideOptions::of(segment).map(|options| Self::pack(&options))
    }

    /// Packs what a SYN or SYN-ACK offered.
    pub fn pack(options: &SideOptions) -> Self {
        let t = &options.tcp;
        let mut bits = 0;
        let mut set = |on: bool, bit: u16| bits |= if on { bit } else { 0 };
        set(t.mss.is_some(), Self::MSS);
        set(t.window_scale.is_some(), Self::WSCALE);
        set(t.sack_permitted, Self::SACK);
        set(t.timestamps.is_some(), Self::TS);
        set(t.mptcp, Self::MPTCP);
        set(t.md5, Self::MD5);
        set(t.ao, Self::AO);
        set(t.incomplete, Self::INCOMPLETE);
        set(t.window_cut, Self::WINDOW_CUT);
        set(t.fragmented, Self::FRAGMENTED);
        set(t.cut, Self::CUT);
        set(options.ecn, Self::ECN);
        let cookie = match t.fast_open {
            FastOpenOption::Absent => 0,
            FastOpenOption::Request => {
                set(true, Self::TFO_REQUEST);
                0
            }
            FastOpenOption::Cookie(len) => {
                set(true, Self::TFO_COOKIE);
                len.min(31)
            }
        };
        let (tsval, tsecr) = t.timestamps.unwrap_or((0, 0));
        Self {
            tsval,
            tsecr,
            mss: t.mss.unwrap_or(0),
            window: options.window,
            bits,
            window_scale: t.window_scale.unwrap_or(0),
            ace_cookie: options.ace & 7 | cookie << 3,
            unknown: t.unknown,
        }
    }

    const fn has(&self, bit: u16) -> bool {
        self.bits & bit != 0
    }

    /// The inverse of [`PackedOptions::pack`].
    pub fn unpack(&self) -> SideOptions {
        let fast_open = if self.has(Self::TFO_REQUEST) {
            FastOpenOption::Request
        } else if self.has(Self::TFO_COOKIE) {
            FastOpenOption::Cookie(self.ace_cookie >> 3)
        } else {
            FastOpenOption::Absent
        };
        SideOptions {
            tcp: SynOptions {
                mss: self.has(Self::MSS).then_some(self.mss),
                window_scale: self.has(Self::WSCALE).then_some(self.window_scale),
                sack_permitted: self.has(Self::SACK),
                timestamps: self.has(Self::TS).then_some((self.tsval, self.tsecr)),
                fast_open,
                mptcp: self.has(Self::MPTCP),
                md5: self.has(Self::MD5),
                ao: self.has(Self::AO),
                unknown: self.unknown,
                incomplete: self.has(Self::INCOMPLETE),
                window_cut: self.has(Self::WINDOW_CUT),
                fragmented: self.has(Self::FRAGMENTED),
                cut: self.has(Self::CUT),
            },
            ecn: self.has(Self::ECN),
            ace: self.ace_cookie & 7,
            window: self.window,
        }
    }

    /// Whether the list was damaged or cut.
    pub const fn is_incomplete(&self) -> bool {
        self.has(Self::INCOMPLETE)
    }

    /// Whether window scaling, SACK and time stamps were offered.
    pub const fn offers(&self) -> [bool; 3] {
        [self.has(Self::WSCALE), self.has(Self::SACK), self.has(Self::TS)]
    }

    /// Whether the packet went on in other fragments.
    pub const fn is_fragmented(&self) -> bool {
        self.has(Self::FRAGMENTED)
    }

    /// Whether a Fast Open option was there.
    pub const fn asks_fast_open(&self) -> bool {
        self.bits & (Self::TFO_REQUEST | Self::TFO_COOKIE) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_survive_packing() {
        let options = SideOptions {
            tcp: SynOptions {
                mss: Some(0),
                window_scale: Some(14),
                sack_permitted: true,
                timestamps: Some((u32::MAX, 7)),
                fast_open: FastOpenOption::Cookie(16),
                mptcp: true,
                md5: false,
                ao: true,
                unknown: 3,
                incomplete: true,
                window_cut: true,
                fragmented: true,
                cut: true,
            },
            ecn: true,
            ace: 7,
            window: 65535,
        };
        assert_eq!(PackedOptions::pack(&options).unpack(), options);
        let none = SideOptions::default();
        assert_eq!(PackedOptions::pack(&none).unpack(), none);
    }
}
