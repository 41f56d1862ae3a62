//! One line of a scenario to one packet. `tests/scenarios/README.md` teaches the notation.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use halfopen_wire::encap::Outer;
use halfopen_wire::{
    Address, Encap, EncapTable, FastOpenOption, Flags, IcmpError, Packet, Segment, SynOptions, Tunnel,
};

/// The time of second 0: 2023-11-14 22:13:20 UTC.
pub const T0: i64 = 1_700_000_000_000_000_000;

type Endpoint = (Address, u16);

/// Reads lines one after the other.
pub struct Reader {
    hosts: HashMap<String, Endpoint>,
    /// The encapsulations that the lines named.
    pub encaps: EncapTable,
    now_ns: i64,
    frames: HashMap<u32, u64>,
}

impl Default for Reader {
    fn default() -> Self {
        let mut reader = Self {
            hosts: HashMap::new(),
            encaps: EncapTable::default(),
            now_ns: 0,
            frames: HashMap::new(),
        };
        for (name, endpoint) in [
            ("c", "10.0.0.1:40000"),
            ("s", "10.0.0.2:80"),
            ("r", "10.0.0.254:0"),
            ("c6", "[2001:db8::1]:40000"),
            ("s6", "[2001:db8::2]:80"),
            ("r6", "[2001:db8::fe]:0"),
        ] {
            reader
                .host(name, endpoint)
                .expect("the built-in endpoints are well written");
        }
        reader
    }
}

impl Reader {
    /// Gives an endpoint a name.
    pub fn host(&mut self, name: &str, endpoint: &str) -> Result<(), String> {
        let endpoint = literal(endpoint)?;
        self.hosts.insert(name.to_owned(), endpoint);
        Ok(())
    }

    /// The packets of all lines that are neither empty nor a comment.
    pub fn packets(&mut self, lines: &str) -> Result<Vec<Packet>, String> {
        lines
            .lines()
            .map(|line| line.split_once('#').map_or(line, |(code, _)| code).trim())
            .filter(|line| !line.is_empty())
            .map(|line| self.packet(line).map_err(|why| format!("«{line}»: {why}")))
            .collect()
    }

    fn packet(&mut self, line: &str) -> Result<Packet, String> {
        let (head, options) = match line.split_once('<').filter(|_| line.ends_with('>')) {
            // `c < s` has no closing bracket at the end of the line; options have.
            Some(_) => {
                let open = line.rfind('<').ok_or("no options")?;
                (&line[..open], Some(&line[open + 1..line.len() - 1]))
            }
            None => (line, None),
        };
        let words: Vec<&str> = head.split_whitespace().collect();
        self.time(words.first().ok_or("no time")?)?;
        match words[1..] {
            ["other"] => {
                self.frame(0);
                Ok(Packet::Other)
            }
            [reporter, "icmp", error, "about", a, way, b, ref rest @ ..] => {
                self.icmp(reporter, error, [a, way, b], rest)
            }
            [a, way, b, flags, ref rest @ ..] => self.segment([a, way, b], flags, rest, options),
            _ => Err("neither a segment, nor «icmp», nor «other»".into()),
        }
    }

    fn time(&mut self, word: &str) -> Result<(), String> {
        let (base, text) = match word.strip_prefix('+') {
            Some(text) => (self.now_ns, text),
            None => (0, word),
        };
        self.now_ns = base + nanoseconds(text)?;
        Ok(())
    }

    fn frame(&mut self, file: u32) -> u64 {
        let frame = self.frames.entry(file).or_default();
        *frame += 1;
        *frame
    }

    fn endpoint(&self, word: &str) -> Result<Endpoint, String> {
        if let Some(&known) = self.hosts.get(word) {
            return Ok(known);
        }
        if let Some((name, port)) = word.split_once(':')
            && let Some(&(address, _)) = self.hosts.get(name)
        {
            return Ok((address, number(port)?));
        }
        literal(word)
    }

    /// Source and destination of `a > b` or `a < b`.
    fn way(&self, [a, way, b]: [&str; 3]) -> Result<(Endpoint, Endpoint), String> {
        let (a, b) = (self.endpoint(a)?, self.endpoint(b)?);
        match way {
            ">" => Ok((a, b)),
            "<" => Ok((b, a)),
            _ => Err(format!("«{way}» is neither > nor <")),
        }
    }

    fn segment(&mut self, way: [&str; 3], flags: &str, rest: &[&str], options: Option<&str>) -> Result<Packet, String> {
        let ((src, src_port), (dst, dst_port)) = self.way(way)?;
        let flags = parse_flags(flags)?;
        let syn = flags.has(Flags::SYN);
        if !syn && options.is_some() {
            return Err("options are read on SYN and SYN-ACK only".into());
        }
        let mut segment = Segment {
            timed: true,
            time_ns: T0 + self.now_ns,
            frame: 0,
            file: 0,
            interface: 0,
            encap: halfopen_wire::EncapId::NONE,
            src,
            dst,
            src_port,
            dst_port,
            seq: 0,
            ack: 0,
            flags,
            window: if syn { 64_240 } else { 502 },
            payload_len: 0,
            ttl: 64,
            ip_id: None,
            bad_checksum: false,
            syn: syn.then(|| parse_options(options.unwrap_or_default())).transpose()?,
        };
        let mut around = Encap::default();
        for word in rest {
            match word.split_once('=').unwrap_or((word, "")) {
                ("seq", n) => segment.seq = number(n)?,
                ("ack", n) => segment.ack = number(n)?,
                ("len", n) => segment.payload_len = number(n)?,
                ("win", n) => segment.window = number(n)?,
                ("ttl", n) => segment.ttl = number(n)?,
                ("id", n) => segment.ip_id = Some(number(n)?),
                ("if", n) => segment.interface = number(n)?,
                ("file", n) => segment.file = number(n)?,
                ("untimed", "") => segment.timed = false,
                ("bad_checksum", "") => segment.bad_checksum = true,
                (name, value) => layer(&mut around, name, value)?,
            }
        }
        segment.encap = self.encaps.intern(&around);
        segment.frame = self.frame(segment.file);
        Ok(Packet::Tcp(segment))
    }

    fn icmp(&mut self, reporter: &str, error: &str, way: [&str; 3], rest: &[&str]) -> Result<Packet, String> {
        let (reporter, _) = self.endpoint(reporter)?;
        let ((src, src_port), (dst, dst_port)) = self.way(way)?;
        let (kind, code) = error.split_once('/').ok_or("an ICMP error is TYPE/CODE")?;
        let mut around = Encap::default();
        let mut seq = None;
        for word in rest {
            match word.split_once('=').unwrap_or((word, "")) {
                ("seq", n) => seq = Some(number(n)?),
                (name, value) => layer(&mut around, name, value)?,
            }
        }
        Ok(Packet::Icmp(IcmpError {
            timed: true,
            time_ns: T0 + self.now_ns,
            frame: self.frame(0),
            file: 0,
            encap: self.encaps.intern(&around),
            v6: reporter.v6,
            kind: number(kind)?,
            code: number(code)?,
            reporter,
            src,
            dst,
            src_port,
            dst_port,
            seq,
        }))
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("«{text}» is no number that fits"))
}

fn literal(text: &str) -> Result<Endpoint, String> {
    let endpoint: SocketAddr = text.parse().map_err(|_| format!("no endpoint «{text}»"))?;
    let address: IpAddr = endpoint.ip();
    Ok((address.into(), endpoint.port()))
}

fn nanoseconds(text: &str) -> Result<i64, String> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if part.len() > 9 {
        return Err("a time is finer than a nanosecond".into());
    }
    let fraction: i64 = number(&format!("{part:0<9}"))?;
    let seconds: i64 = number(whole)?;
    Ok(seconds * 1_000_000_000 + if whole.starts_with('-') { -fraction } else { fraction })
}

fn parse_flags(text: &str) -> Result<Flags, String> {
    if text == "none" {
        return Ok(Flags(0));
    }
    let bit = |letter: char| match letter {
        'F' => Ok(Flags::FIN),
        'S' => Ok(Flags::SYN),
        'R' => Ok(Flags::RST),
        'P' => Ok(Flags::PSH),
        '.' => Ok(Flags::ACK),
        'U' => Ok(Flags::URG),
        'E' => Ok(Flags::ECE),
        'W' => Ok(Flags::CWR),
        'A' => Ok(Flags::AE),
        _ => Err(format!("no flag «{letter}»")),
    };
    let bits = text
        .chars()
        .try_fold(0, |bits, letter| Ok::<_, String>(bits | bit(letter)?))?;
    Ok(Flags(bits))
}

fn parse_options(text: &str) -> Result<SynOptions, String> {
    let mut options = SynOptions::default();
    for option in text.split(',').map(str::trim).filter(|o| !o.is_empty()) {
        let words: Vec<&str> = option.split_whitespace().collect();
        match words[..] {
            ["nop" | "eol"] => {}
            ["mss", n] => options.mss = Some(number(n)?),
            ["wscale", n] => options.window_scale = Some(number(n)?),
            ["sackOK"] => options.sack_permitted = true,
            ["TS", value, echo] => options.timestamps = Some((number(value)?, number(echo)?)),
            ["tfo"] => options.fast_open = FastOpenOption::Request,
            ["tfo", len] => options.fast_open = FastOpenOption::Cookie(number(len)?),
            ["mptcp"] => options.mptcp = true,
            ["md5"] => options.md5 = true,
            ["ao"] => options.ao = true,
            ["unknown"] => options.unknown += 1,
            ["incomplete"] => options.incomplete = true,
            ["fragmented"] => options.fragmented = true,
            _ => return Err(format!("no option «{option}»")),
        }
    }
    Ok(options)
}

/// A tag or tunnel around the packet. Tunnels run between 192.0.2.1 and 192.0.2.2.
fn layer(around: &mut Encap, name: &str, value: &str) -> Result<(), String> {
    let ends = Outer::new(Address::from_v4([192, 0, 2, 1]), Address::from_v4([192, 0, 2, 2]));
    match (name, value) {
        ("vlan", tag) => around.vlan.push(number(tag)?),
        ("mpls", "") => around.tunnels.push(Tunnel::Mpls),
        ("ipip", "") => around.tunnels.push(Tunnel::Ipip(ends)),
        ("gre", key) => around.tunnels.push(Tunnel::Gre(ends, Some(number(key)?))),
        ("vxlan", vni) => around.tunnels.push(Tunnel::Vxlan(ends, number(vni)?)),
        ("pppoe", session) => around.tunnels.push(Tunnel::Pppoe(number(session)?)),
        _ => return Err(format!("no field «{name}»")),
    }
    Ok(())
}
