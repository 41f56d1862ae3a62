//! pcapng, <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-03.html>: sections, interfaces and packets.

use super::block::{self, Shape};
use super::buffer::{Buffer, End};
use super::field::u32_at;
use super::interface::{Interface, Interfaces};
use super::{Frames, Record};
use crate::Defect;

/// The blocks of one pcapng stream.
#[derive(Debug)]
pub(super) struct Pcapng {
    big_endian: bool,
    interfaces: Interfaces,
    /// Time of the packet before, ns.
    last_ns: i64,
}

/// A packet as its block describes it, before its interface is known.
struct Packet {
    interface: u32,
    /// `None` in a Simple Packet Block.
    time: Option<u64>,
    caplen: u32,
    wire_len: u32,
    /// Bytes of the block before and behind the packet's.
    before: usize,
    behind: usize,
}

/// Bytes of the body before the packet data, by block type.
const ENHANCED_LEN: usize = 20;
const SIMPLE_LEN: usize = 4;

impl Pcapng {
    /// Starts at a Section Header Block, which [`Pcapng::advance`] will read.
    pub fn new(big_endian: bool) -> Self {
        Self {
            big_endian,
            interfaces: Interfaces::default(),
            last_ns: 0,
        }
    }

    /// Whether the next packet is whole in what was read already.
    pub fn is_next_there(&self, mut bytes: &[u8]) -> bool {
        while let Some(head) = bytes.first_chunk() {
            let big_endian = block::section_order(head).unwrap_or(self.big_endian);
            let Shape::Block { kind, padded, .. } = block::shape(head, big_endian) else {
                return false;
            };
            match bytes.get(padded..) {
                Some(_) if block::is_packet(kind) => return true,
                Some(rest) => bytes = rest,
                None => return false,
            }
        }
        false
    }

    #[inline]
    pub fn advance(&mut self, buffer: &mut Buffer, frames: &mut Frames<'_>) -> Option<Record> {
        loop {
            let Some(head) = buffer.head::<12>() else {
                return Self::cut_off(buffer, frames);
            };
            let big_endian = block::section_order(&head).unwrap_or(self.big_endian);
            match block::shape(&head, big_endian) {
                Shape::Impossible => {
                    if !self.resync(buffer, frames) {
                        return None;
                    }
                }
                Shape::Block { kind, len, padded } => {
                    if !buffer.ensure(padded) {
                        if self.recover(buffer, frames) {
                            continue;
                        }
                        return Self::cut_off(buffer, frames);
                    }
                    if block::trailing_len(buffer.available(), padded, big_endian) != Some(len)
                        && !Self::is_trailer_alone_wrong(buffer, padded, big_endian, frames)
                    {
                        if !self.resync(buffer, frames) {
                            return None;
                        }
                        continue;
                    }
                    self.big_endian = big_endian;
                    if let Some(record) = self.block(kind, padded, buffer, frames) {
                        return Some(record);
                    }
                }
            }
        }
    }

    /// Reads one whole block and consumes it; a record when it holds a packet.
    #[inline]
    fn block(&mut self, kind: u32, len: usize, buffer: &mut Buffer, frames: &mut Frames<'_>) -> Option<Record> {
        let body = buffer.available().get(8..len - 4).unwrap_or_default();
        let packet = match kind {
            block::ENHANCED_PACKET => self.enhanced(body),
            block::OBSOLETE_PACKET => self.obsolete(body),
            block::SIMPLE_PACKET => self.simple(body),
            _ => {
                self.other(kind, body, frames);
                buffer.skip(len);
                return None;
            }
        };
        let number = frames.next_number();
        let Some(mut packet) = packet else {
            frames.count(Defect::CorruptBlock);
            buffer.skip(len);
            return None;
        };
        let Some((&interface, global)) = self.interfaces.get(packet.interface) else {
            frames.count(Defect::UnknownInterface);
            buffer.skip(len);
            return None;
        };
        let room = len - 12 - packet.before;
        if packet.caplen as usize > room {
            // The block is as long as it says (twice), so the length of the packet is the lie.
            frames.count(Defect::CorruptBlock);
            packet.caplen = packet.wire_len.min(room as u32);
        }
        packet.behind = room - packet.caplen as usize;
        let timed = self.is_timed(&interface, &packet, frames);
        let time_ns = self.last_ns;
        let (from, to) = buffer.take(8 + packet.before, packet.caplen as usize);
        buffer.skip(packet.behind + 4);
        Some(Record {
            time_ns,
            timed,
            number,
            link: interface.link as usize,
            interface: global as usize,
            wire_len: packet.wire_len.max(packet.caplen) as usize,
            from,
            to,
        })
    }

    /// Takes the time of a packet. One without (a Simple Packet Block) or with an impossible one was captured after the packet
    /// before it; that packet's time is the only thing known of it, so it does not tear the order.
    #[inline]
    fn is_timed(&mut self, interface: &Interface, packet: &Packet, frames: &mut Frames<'_>) -> bool {
        let Some(units) = packet.time else { return false };
        match interface.clock.time_ns(i128::from(units)) {
            Some(ns) => self.last_ns = ns,
            None => return self.is_possible_time(interface, units, frames),
        }
        true
    }

    /// Writers exist that extend the sign of a smaller number: read as negative, such times are wrong by a constant, and
    /// what lies between two of them is right.
    #[cold]
    fn is_possible_time(&mut self, interface: &Interface, units: u64, frames: &mut Frames<'_>) -> bool {
        frames.count(Defect::TimeOutOfRange);
        let negative = interface.clock.time_ns(i128::from(units as i64));
        self.last_ns = negative.unwrap_or(self.last_ns);
        negative.is_some()
    }

    /// Enhanced Packet Block, section 4.3.
    #[inline]
    fn enhanced(&self, body: &[u8]) -> Option<Packet> {
        let words: &[u8; ENHANCED_LEN] = body.first_chunk()?;
        Some(self.with_time(self.word(words, 0), words))
    }

    /// Packet Block, appendix A: as above, with a 16-bit interface and a count of drops in the first word.
    fn obsolete(&self, body: &[u8]) -> Option<Packet> {
        let words: &[u8; ENHANCED_LEN] = body.first_chunk()?;
        let first = self.word(words, 0);
        let interface = if self.big_endian { first >> 16 } else { first & 0xffff };
        Some(self.with_time(interface, words))
    }

    #[inline]
    fn with_time(&self, interface: u32, words: &[u8; ENHANCED_LEN]) -> Packet {
        Packet {
            interface,
            time: Some(u64::from(self.word(words, 4)) << 32 | u64::from(self.word(words, 8))),
            caplen: self.word(words, 12),
            wire_len: self.word(words, 16),
            before: ENHANCED_LEN,
            behind: 0,
        }
    }

    /// Simple Packet Block, section 4.4: of the first interface, captured up to its snapshot length.
    fn simple(&self, body: &[u8]) -> Option<Packet> {
        let wire_len = u32_at(body, 0, self.big_endian)?;
        let snaplen = self.interfaces.get(0).map_or(0, |(interface, _)| interface.snaplen);
        Some(Packet {
            interface: 0,
            time: None,
            caplen: if snaplen == 0 { wire_len } else { wire_len.min(snaplen) },
            wire_len,
            before: SIMPLE_LEN,
            behind: 0,
        })
    }

    /// A block that holds no packet.
    fn other(&mut self, kind: u32, body: &[u8], frames: &mut Frames<'_>) {
        match kind {
            block::SECTION_HEADER => self.interfaces.next_section(),
            block::INTERFACE_DESCRIPTION => match Interface::parse(body, self.big_endian) {
                Some((interface, is_damaged)) => {
                    self.interfaces.push(interface);
                    if is_damaged {
                        frames.count(Defect::CorruptBlock);
                    }
                }
                None => frames.count(Defect::CorruptBlock),
            },
            _ if block::is_frame_for_wireshark(kind) => {
                frames.next_number();
            }
            _ => {}
        }
    }

    #[inline]
    fn word<const N: usize>(&self, words: &[u8; N], at: usize) -> u32 {
        u32_at(words, at, self.big_endian).unwrap_or_default()
    }

    /// The length behind a block contradicts the one before it; if a block follows where the first says, and none begins
    /// before, only the second is damaged, and the block is good.
    #[cold]
    fn is_trailer_alone_wrong(buffer: &mut Buffer, len: usize, big_endian: bool, frames: &mut Frames<'_>) -> bool {
        let is_alone = match buffer.peek::<12>(len) {
            Some(_) => block::is_whole(buffer, len, big_endian),
            None => buffer.available().len() == len,
        } && block::search_until(buffer, len, big_endian).is_none();
        if is_alone {
            frames.count(Defect::CorruptBlock);
        }
        is_alone
    }

    /// Skips to the next place that is a block beyond doubt; false when there is none.
    #[cold]
    fn resync(&self, buffer: &mut Buffer, frames: &mut Frames<'_>) -> bool {
        frames.count(Defect::CorruptBlock);
        if block::search(buffer, self.big_endian) {
            return true;
        }
        frames.end(buffer.end());
        false
    }

    /// The stream ends before the block does: cut off, or a lie about its length with whole blocks behind it.
    #[cold]
    fn recover(&self, buffer: &mut Buffer, frames: &mut Frames<'_>) -> bool {
        let Some(offset) = block::search_rest(buffer, self.big_endian) else {
            return false;
        };
        frames.count(Defect::CorruptBlock);
        buffer.skip(offset);
        true
    }

    #[cold]
    fn cut_off(buffer: &mut Buffer, frames: &mut Frames<'_>) -> Option<Record> {
        let end = match buffer.end() {
            End::Clean if !buffer.available().is_empty() => End::Failed(Defect::CutOff),
            end => end,
        };
        buffer.skip(usize::MAX);
        frames.end(end);
        None
    }
}
