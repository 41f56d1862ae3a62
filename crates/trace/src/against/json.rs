//! The comparison as the object `halfopen.against/1`, and each handshake as one line. `docs/against.md` explains the keys.

use std::io::{self, Write};

use halfopen_track::quantiles::Quantiles;
use halfopen_track::summary::json::Writer;
use halfopen_wire::Address;

use super::Comparison;
use super::clock::{Clock, NoClock};
use super::collect::Point;
use super::judge::{Compared, Fate, Split, Transmission};
use super::pair::KINDS;
use super::seen::{Kind, Seen, Sent};
use super::totals::Totals;

impl Comparison {
    /// The sums and the `top` handshakes that lost most, as one JSON object; the inputs are the caller's to add.
    pub fn to_json(&self, top: usize) -> String {
        let totals = self.totals();
        let mut w = Writer::default();
        w.object(|w| {
            for (name, point) in [("a", &self.a), ("b", &self.b)] {
                w.key(name);
                write_point(w, point);
            }
            w.entry("sampled_one_in", 1u128 << self.a.level.min(64));
            self.write_counts(w, &totals);
            w.key("clock");
            write_clock(w, &self.clock);
            write_losses(w, &totals);
            write_splits(w, &totals);
            self.write_lookalikes(w);
            self.write_worst(w, &totals, top);
        });
        w.finish()
    }

    fn write_counts(&self, w: &mut Writer, totals: &Totals) {
        w.entry("common", totals.common);
        w.entry("only_a", self.matches.only_a.len());
        w.entry("only_b", self.matches.only_b.len());
        w.entry("repeated", self.matches.repeated);
        w.entry("rewritten", totals.rewritten);
        w.counts(
            "client_nearer_to",
            ["a", "b", "unknown"].into_iter().zip(totals.client_at),
        );
        w.entry("with_loss", totals.with_loss);
        w.entry("lost_whole", totals.lost_whole);
        w.entry("packets_lost", totals.lost());
        w.entry("unanswered_syns", totals.unanswered_syns);
        w.entry("with_unanswered_syns", totals.with_unanswered_syns);
        w.entry("unanswered_syn_acks", totals.unanswered_syn_acks);
        w.key("only");
        w.object(|w| {
            for (index, name) in ["a", "b"].into_iter().enumerate() {
                let of = totals.single.iter().filter(|((i, _), _)| *i == index);
                w.counts(name, of.map(|((_, why), &n)| (why.name(), n)));
            }
        });
        w.key("outcomes_differ");
        w.list(&totals.differing, |w, ((a, b), n)| {
            w.object(|w| {
                name(w, "a", Some(a));
                name(w, "b", Some(b));
                w.entry("handshakes", n);
            });
        });
    }

    fn write_lookalikes(&self, w: &mut Writer) {
        let found = &self.lookalikes;
        for (key, count, example) in [
            ("translated", found.translated, found.example),
            ("renumbered", found.renumbered, found.renumbered_example),
        ] {
            w.key(key);
            w.object(|w| {
                w.entry("handshakes", count);
                if key == "translated" {
                    w.entry("client_changed", found.client_changed);
                    w.entry("server_changed", found.server_changed);
                }
                w.key("example");
                match example.and_then(|(i, j)| Some((self.a.seen.get(i)?, self.b.seen.get(j)?))) {
                    None => w.null(),
                    Some((a, b)) => w.object(|w| {
                        for (key, seen) in [("a", a), ("b", b)] {
                            w.key(key);
                            w.object(|w| write_ends(w, seen));
                        }
                    }),
                }
            });
        }
    }

    fn write_worst(&self, w: &mut Writer, totals: &Totals, top: usize) {
        let wanted = &totals.worst[..totals.worst.len().min(top)];
        let mut places: Vec<usize> = wanted.to_vec();
        places.sort_unstable();
        let mut found: Vec<(usize, Compared)> = Vec::with_capacity(places.len());
        for (place, compared) in self.handshakes().enumerate() {
            if places.binary_search(&place).is_ok() {
                found.push((place, compared));
            }
        }
        w.key("handshakes");
        w.list(wanted, |w, place| {
            if let Ok(i) = found.binary_search_by_key(place, |f| f.0) {
                w.object(|w| self.write_compared(w, &found[i].1));
            }
        });
    }

    /// One line for each handshake, as [`Comparison::handshakes`] orders them.
    ///
    /// # Errors
    /// What writing said.
    pub fn write_lines(&self, out: &mut dyn Write) -> io::Result<()> {
        for compared in self.handshakes() {
            let mut w = Writer::default();
            w.object(|w| self.write_compared(w, &compared));
            let mut line = w.finish();
            line.push('\n');
            out.write_all(line.as_bytes())?;
        }
        out.flush()
    }

    fn write_compared(&self, w: &mut Writer, compared: &Compared) {
        let (a, b) = (self.in_a(compared), self.in_b(compared));
        if let Some(seen) = a.or(b) {
            write_ends(w, seen);
            w.key("isn_client");
            w.optional(a.and_then(Seen::isn_client).or_else(|| b.and_then(Seen::isn_client)));
            w.key("isn_server");
            w.optional(a.and_then(Seen::isn_server).or_else(|| b.and_then(Seen::isn_server)));
        }
        for (key, seen) in [("a", a), ("b", b)] {
            w.key(key);
            match seen {
                None => w.null(),
                Some(seen) => w.object(|w| write_view(w, seen)),
            }
        }
        name(w, "only_because", compared.why.map(super::judge::Why::name));
        let nearer = compared.client_at_a.map(|a| if a { "a" } else { "b" });
        name(w, "client_nearer_to", nearer);
        w.entry("rewritten", compared.rewritten);
        w.entry("lost", compared.lost());
        w.entry("unanswered_syns", compared.unanswered_syns);
        w.entry("unanswered_syn_ack", compared.unanswered_syn_ack);
        write_split(w, &compared.split);
        w.key("packets");
        w.list(&compared.transmissions, write_transmission);
    }
}

fn name(w: &mut Writer, key: &str, value: Option<&str>) {
    w.key(key);
    match value {
        Some(value) => w.text(value),
        None => w.null(),
    }
}

fn write_point(w: &mut Writer, point: &Point) {
    w.object(|w| {
        w.entry("packets", point.packets);
        w.entry("tcp_segments", point.tcp_segments);
        w.entry("handshakes", point.handshakes);
        w.entry("compared", point.seen.len());
        w.entry("evicted", point.evicted);
        w.key("start_ns");
        w.optional(point.first_ns);
        w.key("end_ns");
        w.optional(point.last_ns);
    });
}

fn write_clock(w: &mut Writer, clock: &Result<Clock, NoClock>) {
    w.object(|w| match clock {
        Err(why) => {
            for key in ["offset_us", "uncertainty_us", "drift_ppm", "drift_uncertainty_ppm"] {
                w.key(key);
                w.null();
            }
            name(w, "unknown_because", Some(why.name()));
        }
        Ok(clock) => {
            for (key, ns) in [
                ("offset_us", clock.offset_ns),
                ("uncertainty_us", clock.uncertainty_ns),
                ("shortest_round_trip_us", clock.shortest_round_trip_ns),
                ("span_us", clock.span_ns),
            ] {
                w.key(key);
                w.micros(Some(ns));
            }
            w.entry("at_ns", clock.middle_ns);
            w.key("drift_ppm");
            w.float(clock.drift.map(|d| d.ppm));
            w.key("drift_uncertainty_ppm");
            w.float(clock.drift.map(|d| d.uncertainty_ppm));
            w.entry("packets_from_a", clock.samples[0]);
            w.entry("packets_from_b", clock.samples[1]);
            name(w, "unknown_because", None);
        }
    });
}

fn write_losses(w: &mut Writer, totals: &Totals) {
    let rows = KINDS
        .iter()
        .zip(&totals.packets)
        .flat_map(|(kind, ends)| ["client", "server"].into_iter().zip(ends).map(move |e| (*kind, e)));
    w.key("packets");
    w.list(
        rows.filter(|(_, (_, counts))| counts.sum() > 0),
        |w, (kind, (from, counts))| {
            w.object(|w| {
                name(w, "kind", Some(kind.name()));
                name(w, "from", Some(from));
                for fate in Fate::ALL {
                    w.entry(fate.name(), counts.get(fate));
                }
            });
        },
    );
}

fn write_splits(w: &mut Writer, totals: &Totals) {
    let splits = &totals.splits;
    w.key("split_us");
    w.object(|w| {
        for (key, quantiles) in [
            ("there", &splits.there),
            ("back", &splits.back),
            ("between", &splits.between),
            ("server_side", &splits.server_side),
            ("client_side", &splits.client_side),
        ] {
            w.key(key);
            write_quantiles(w, quantiles);
        }
    });
}

fn write_quantiles(w: &mut Writer, quantiles: &Quantiles) {
    let percentiles = quantiles.percentiles([0.5, 0.9, 0.99]);
    let [p50, p90, p99] = percentiles.map_or([None; 3], |p| p.map(Some));
    w.object(|w| {
        w.entry("count", quantiles.count());
        for (key, ns) in [("p50", p50), ("p90", p90), ("p99", p99), ("max", quantiles.max())] {
            w.key(key);
            w.micros(ns);
        }
    });
}

fn write_ends(w: &mut Writer, seen: &Seen) {
    let mut end = |key: &str, (address, port): (Address, u16)| {
        w.key(key);
        w.text(address);
        w.key(format_args!("{key}_port"));
        w.integer(port);
    };
    end("client", seen.client());
    end("server", seen.server());
}

fn write_view(w: &mut Writer, seen: &Seen) {
    let first = |kind, low| seen.of(kind, low).map(|s| s.frame).next();
    w.entry("number", seen.number);
    w.entry("start_ns", seen.start_ns);
    name(w, "outcome", Some(seen.outcome.name()));
    for (key, kind, low) in [
        ("frame_syn", Kind::Syn, seen.client_low),
        ("frame_syn_ack", Kind::SynAck, !seen.client_low),
        ("frame_ack", Kind::Ack, seen.client_low),
    ] {
        w.key(key);
        w.optional(first(kind, low));
    }
}

fn write_split(w: &mut Writer, split: &Split) {
    for (key, ns) in [
        ("there_us", split.there_ns),
        ("back_us", split.back_ns),
        ("between_us", split.between_ns),
        ("server_side_us", split.server_side_ns),
        ("client_side_us", split.client_side_ns),
    ] {
        w.key(key);
        w.micros(ns);
    }
}

fn write_transmission(w: &mut Writer, sent: &Transmission) {
    let place = |w: &mut Writer, key: &str, sent: Option<Sent>| {
        w.key(key);
        match sent {
            None => w.null(),
            Some(sent) => w.object(|w| {
                w.entry("time_ns", sent.time_ns);
                w.entry("frame", sent.frame);
                w.entry("file", sent.file);
            }),
        }
    };
    w.object(|w| {
        name(w, "kind", Some(sent.kind.name()));
        name(w, "from", Some(if sent.from_client { "client" } else { "server" }));
        name(w, "fate", Some(sent.fate.name()));
        place(w, "a", sent.pair.a);
        place(w, "b", sent.pair.b);
        w.key("way_us");
        w.micros(sent.way_ns);
    });
}
