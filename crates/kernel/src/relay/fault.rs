//! A surgical fault: which packets, and what becomes of them.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use super::Direction;
use super::flows::{FLOWS_MAX, FlowKey, Kind};
use super::text::{SpecError, duration, probability};
use crate::packet::Tcp;
use crate::random::Random;

/// What is done to a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// It vanishes.
    Drop,
    /// It arrives this much later.
    Delay(Duration),
    /// It arrives twice.
    Duplicate,
    /// Its TCP options of this kind become NOPs.
    StripOption(u8),
    /// Its payload is taken off, as a middlebox does that does not know data in a SYN.
    StripPayload,
    /// It vanishes, and its sender gets an RST.
    Reset,
    /// It vanishes, and its sender gets an ICMP error «administratively prohibited».
    Prohibit,
}

/// TCP options by name: RFC 9293, RFC 7323, RFC 2018, RFC 7413, RFC 8684.
const OPTIONS: [(&str, u8); 6] = [
    ("mss", 2),
    ("window_scale", 3),
    ("sack_permitted", 4),
    ("timestamps", 8),
    ("mptcp", 30),
    ("fast_open", 34),
];

/// Which packets. What is absent matches all.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Pattern {
    /// Of this kind.
    pub kind: Option<Kind>,
    /// Going this way.
    pub direction: Option<Direction>,
    /// From or to this port.
    pub port: Option<u16>,
    /// With payload.
    pub with_data: bool,
    /// The first so many of each connection.
    pub first: Option<u64>,
    /// None of the first so many of each connection.
    pub after: u64,
    /// Every so-manieth of all that match.
    pub every: Option<u64>,
    /// No more than so many in all.
    pub limit: Option<u64>,
    /// Each with this probability.
    pub share: Option<f64>,
}

/// A pattern with its action, and how often it matched.
#[derive(Clone, Debug)]
pub struct Fault {
    /// As it was given.
    pub text: String,
    /// Which packets.
    pub pattern: Pattern,
    /// What becomes of them.
    pub action: Action,
    /// Packets that it was applied to.
    pub applied: u64,
    seen: u64,
    per_flow: HashMap<FlowKey, u64>,
}

impl Fault {
    /// Whether it applies to this packet; counts.
    pub(super) fn applies(&mut self, kind: Kind, direction: Direction, tcp: Option<&Tcp>, random: &mut Random) -> bool {
        let applies = self.pattern.fits(kind, direction, tcp)
            && self.turn_in_flow(tcp)
            && self.turn_in_all()
            && self.pattern.limit.is_none_or(|limit| self.applied < limit)
            && self.pattern.share.is_none_or(|share| random.happens(share));
        self.applied += u64::from(applies);
        applies
    }

    fn turn_in_flow(&mut self, tcp: Option<&Tcp>) -> bool {
        let Some(tcp) = tcp.filter(|_| self.pattern.first.is_some() || self.pattern.after > 0) else {
            return true;
        };
        if self.per_flow.len() >= FLOWS_MAX {
            self.per_flow.clear();
        }
        let count = self.per_flow.entry(FlowKey::of(tcp)).or_default();
        *count += 1;
        *count > self.pattern.after
            && self
                .pattern
                .first
                .is_none_or(|first| *count <= self.pattern.after + first)
    }

    fn turn_in_all(&mut self) -> bool {
        self.seen += 1;
        self.pattern.every.is_none_or(|every| self.seen.is_multiple_of(every))
    }
}

impl Pattern {
    fn fits(&self, kind: Kind, direction: Direction, tcp: Option<&Tcp>) -> bool {
        self.kind.is_none_or(|wanted| wanted == kind)
            && self.direction.is_none_or(|wanted| wanted == direction)
            && (self.port.is_none() || tcp.is_some_and(|tcp| self.names(tcp)))
            && (!self.with_data || tcp.is_some_and(|tcp| tcp.payload_len > 0))
    }

    fn names(&self, tcp: &Tcp) -> bool {
        self.port
            .is_some_and(|port| tcp.source.port() == port || tcp.destination.port() == port)
    }
}

impl FromStr for Fault {
    type Err = SpecError;

    /// An action, then what it is for:
    ///
    /// ```text
    /// drop syn_ack first=1            the first SYN-ACK of each connection
    /// drop syn every=3                every third SYN
    /// strip window_scale syn          the option in each SYN
    /// reset syn port=80               answer with RST
    /// prohibit syn                    answer with an ICMP error
    /// delay=1.5s final_ack            the client's ACK comes late
    /// drop syn with_data              a middlebox that eats data in SYNs
    /// strip payload syn               or takes the data off
    /// drop data direction=forward first=1 limit=10 share=50%
    /// ```
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let mut words = text.split_whitespace();
        let action = action(&mut words)?;
        let mut pattern = Pattern::default();
        for word in words {
            read_pattern(&mut pattern, word)?;
        }
        Ok(Self {
            text: text.to_owned(),
            pattern,
            action,
            applied: 0,
            seen: 0,
            per_flow: HashMap::new(),
        })
    }
}

fn action<'a>(words: &mut impl Iterator<Item = &'a str>) -> Result<Action, SpecError> {
    let word = words
        .next()
        .ok_or_else(|| SpecError::new("a fault begins with what it does"))?;
    match word.split_once('=').unwrap_or((word, "")) {
        ("drop", "") => Ok(Action::Drop),
        ("delay", time) => Ok(Action::Delay(duration(time)?)),
        ("duplicate", "") => Ok(Action::Duplicate),
        ("reset", "") => Ok(Action::Reset),
        ("prohibit", "") => Ok(Action::Prohibit),
        ("strip", "") => strip(words.next().unwrap_or_default()),
        _ => Err(SpecError::new(format!("a fault cannot «{word}»"))),
    }
}

fn strip(what: &str) -> Result<Action, SpecError> {
    if what == "payload" {
        return Ok(Action::StripPayload);
    }
    OPTIONS
        .iter()
        .find(|(name, _)| *name == what)
        .map(|(_, kind)| Action::StripOption(*kind))
        .ok_or_else(|| SpecError::new(format!("«{what}» cannot be stripped: payload, or an option of TCP")))
}

fn read_pattern(pattern: &mut Pattern, word: &str) -> Result<(), SpecError> {
    if word == "with_data" {
        pattern.with_data = true;
        return Ok(());
    }
    let Some((name, value)) = word.split_once('=') else {
        let kind = Kind::NAMES.iter().find(|(_, name)| *name == word);
        pattern.kind = Some(
            kind.ok_or_else(|| SpecError::new(format!("«{word}» is no kind of packet")))?
                .0,
        );
        return Ok(());
    };
    let number = || {
        value
            .parse()
            .ok()
            .filter(|n| *n > 0)
            .ok_or_else(|| SpecError::value(name, value))
    };
    match name {
        "first" => pattern.first = Some(number()?),
        "after" => pattern.after = number()?,
        "every" => pattern.every = Some(number()?),
        "limit" => pattern.limit = Some(number()?),
        "share" => pattern.share = Some(probability(value)?),
        "port" => pattern.port = Some(value.parse().map_err(|_| SpecError::value(name, value))?),
        "direction" => {
            let ways = [Direction::Forward, Direction::Backward];
            let way = ways.into_iter().find(|way| way.name() == value);
            pattern.direction = Some(way.ok_or_else(|| SpecError::value(name, value))?);
        }
        _ => return Err(SpecError::new(format!("a fault has no «{name}»"))),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Action, Fault};
    use crate::random::Random;
    use crate::relay::Direction;
    use crate::relay::flows::Kind;
    use std::time::Duration;

    fn matches(text: &str, packets: usize) -> Vec<bool> {
        let mut fault: Fault = text.parse().expect("a fault");
        let mut random = Random::new(1);
        (0..packets)
            .map(|_| fault.applies(Kind::Syn, Direction::Forward, None, &mut random))
            .collect()
    }

    #[test]
    fn a_fault_is_read_from_text() {
        let fault: Fault = "delay=1.5s final_ack first=1 port=80".parse().expect("a fault");
        assert_eq!(fault.action, Action::Delay(Duration::from_millis(1500)));
        assert_eq!(fault.pattern.kind, Some(Kind::FinalAck));
        assert_eq!((fault.pattern.first, fault.pattern.port), (Some(1), Some(80)));
        for wrong in [
            "",
            "explode syn",
            "drop sin",
            "drop syn every=0",
            "strip nothing",
            "drop syn weather=1",
            "delay syn",
        ] {
            assert!(wrong.parse::<Fault>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_third_and_no_more_than_two() {
        assert_eq!(matches("drop syn every=3", 6), [false, false, true, false, false, true]);
        assert_eq!(matches("drop syn limit=2", 4), [true, true, false, false]);
        assert_eq!(matches("drop data", 2), [false, false]);
        assert_eq!(matches("drop syn direction=backward", 1), [false]);
    }
}
