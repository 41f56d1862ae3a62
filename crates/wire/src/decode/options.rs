//! The options of a SYN, RFC 9293 section 3.2 and the IANA registry of TCP option kinds.
//!
//! Read as Linux reads them (`tcp_parse_options`, `net/ipv4/tcp_input.c`): an option that is known but has the wrong
//! length is stepped over by the length it gives; a length that leads nowhere ends the list; the last of equals counts.
//! Unlike Linux, both are said.

use super::bytes::be16;
use crate::{Defect, FastOpenOption, SynOptions};

/// Option kinds.
mod kind {
    pub const END: u8 = 0;
    pub const NOP: u8 = 1;
    pub const MSS: u8 = 2;
    pub const WINDOW_SCALE: u8 = 3;
    pub const SACK_PERMITTED: u8 = 4;
    pub const TIMESTAMPS: u8 = 8;
    pub const MD5: u8 = 19;
    pub const AO: u8 = 29;
    pub const MPTCP: u8 = 30;
    pub const FAST_OPEN: u8 = 34;
    /// RFC 4727; RFC 6994 gives them a magic number that tells experiments apart.
    pub const EXPERIMENTS: [u8; 2] = [253, 254];
}

/// The experiment that became Fast Open, RFC 7413 appendix A.
const FAST_OPEN_MAGIC: u16 = 0xf989;

/// The order in which Linux writes them (`tcp_options_write`, with SACK, timestamps and window scaling on): most SYNs
/// there are, in one comparison instead of five steps of a loop.
#[inline]
pub(super) fn parse_linux(list: &[u8]) -> Option<SynOptions> {
    use kind::{MSS, NOP, SACK_PERMITTED, TIMESTAMPS, WINDOW_SCALE};
    let list: &[u8; 20] = list.try_into().ok()?;
    let &[
        MSS,
        4,
        m0,
        m1,
        SACK_PERMITTED,
        2,
        TIMESTAMPS,
        10,
        ref times @ ..,
        NOP,
        WINDOW_SCALE,
        3,
        shift,
    ] = list
    else {
        return None;
    };
    let &[v0, v1, v2, v3, e0, e1, e2, e3] = times;
    Some(SynOptions {
        mss: Some(u16::from_be_bytes([m0, m1])),
        window_scale: Some(shift),
        sack_permitted: true,
        timestamps: Some((
            u32::from_be_bytes([v0, v1, v2, v3]),
            u32::from_be_bytes([e0, e1, e2, e3]),
        )),
        ..SynOptions::default()
    })
}

/// Reads `captured`, the bytes there are of an option list of `length` bytes.
pub(super) fn parse(captured: &[u8], length: usize) -> (SynOptions, Option<Defect>) {
    let mut options = SynOptions::default();
    let defect = walk(captured, length, &mut options);
    options.incomplete = defect.is_some();
    options.cut = defect == Some(Defect::OptionsTruncated);
    (options, defect)
}

fn walk(mut rest: &[u8], length: usize, options: &mut SynOptions) -> Option<Defect> {
    let hidden = length.saturating_sub(rest.len());
    let mut defect = None;
    loop {
        rest = match rest {
            [] if hidden == 0 => return defect,
            [kind::END, ..] => return defect,
            [kind::NOP, after @ ..] => after,
            [kind, size, after @ ..] => {
                let Some(size) = size.checked_sub(2).map(usize::from) else {
                    return Some(Defect::OptionsMalformed);
                };
                let Some((value, after)) = after.split_at_checked(size) else {
                    return Some(beyond(size <= after.len() + hidden));
                };
                if !option(*kind, value, options) {
                    defect = Some(Defect::OptionsMalformed);
                }
                after
            }
            _ => return Some(beyond(hidden > 0)),
        };
    }
}

/// What it means that an option goes on behind what there is: `cut` off by the capture, or never there.
const fn beyond(cut: bool) -> Defect {
    if cut {
        Defect::OptionsTruncated
    } else {
        Defect::OptionsMalformed
    }
}

/// Takes one option in. False when its length is not one that its kind can have.
fn option(kind: u8, value: &[u8], options: &mut SynOptions) -> bool {
    match (kind, value) {
        (kind::MSS, &[m0, m1]) => options.mss = Some(u16::from_be_bytes([m0, m1])),
        (kind::WINDOW_SCALE, &[shift]) => options.window_scale = Some(shift),
        (kind::SACK_PERMITTED, []) => options.sack_permitted = true,
        (kind::TIMESTAMPS, &[v0, v1, v2, v3, e0, e1, e2, e3]) => {
            options.timestamps = Some((
                u32::from_be_bytes([v0, v1, v2, v3]),
                u32::from_be_bytes([e0, e1, e2, e3]),
            ));
        }
        // RFC 2385: the digest of MD5.
        (kind::MD5, value) if value.len() == 16 => options.md5 = true,
        // RFC 5925 section 2.2: two key identifiers, then the code.
        (kind::AO, [_, _, ..]) => options.ao = true,
        // RFC 8684 section 3: the high four bits are the subtype, 0 MP_CAPABLE, 1 MP_JOIN; no other is for a SYN.
        (kind::MPTCP, [0x00..=0x1f, ..]) => options.mptcp = true,
        (kind::MPTCP, [_, ..]) => options.unknown += 1,
        (kind::FAST_OPEN, cookie) => return fast_open(cookie, options),
        (
            kind::MSS
            | kind::WINDOW_SCALE
            | kind::SACK_PERMITTED
            | kind::TIMESTAMPS
            | kind::MD5
            | kind::AO
            | kind::MPTCP,
            _,
        ) => return false,
        (kind, value) if kind::EXPERIMENTS.contains(&kind) && be16(value, 0) == Some(FAST_OPEN_MAGIC) => {
            return fast_open(value.get(2..).unwrap_or_default(), options);
        }
        // At most 20 fit into 40 bytes.
        _ => options.unknown += 1,
    }
    true
}

/// RFC 7413 section 4.1.1: nothing, or an even number of 4 to 16 bytes.
fn fast_open(cookie: &[u8], options: &mut SynOptions) -> bool {
    options.fast_open = match cookie.len() {
        0 => FastOpenOption::Request,
        size @ (4 | 6 | 8 | 10 | 12 | 14 | 16) => FastOpenOption::Cookie(size as u8),
        _ => return false,
    };
    true
}
