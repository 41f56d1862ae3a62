//! The thread that carries the packets.

use std::io;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Direction;
use super::event::{Deed, Event};
use super::fault::{Action, Fault};
use super::flows::{Flows, Kind};
use super::link::Link;
use super::queue::Queue;
use super::tun::Tun;
use crate::packet::{Tcp, prohibited};
use crate::random::Random;
use crate::sys::{Epoll, Interest, Waker, monotonic_ns, realtime_ns};

/// Packets under way in one direction, as netem's default.
pub const QUEUE_MAX: usize = 1000;
/// Events that are kept; later ones are counted.
pub const EVENTS_MAX: usize = 100_000;
/// A TUN packet is at most this long.
const PACKET_MAX: usize = 65_536;
/// Packets read from one device before the other one has its turn.
const BURST: usize = 64;

/// What a relay has done so far.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Packets that came in, by direction.
    pub received: [u64; 2],
    /// Packets that went out, by direction; answers that the relay made itself included.
    pub delivered: [u64; 2],
    /// What was done to which packet, in order.
    pub events: Vec<Event>,
    /// Events beyond [`EVENTS_MAX`].
    pub events_left_out: u64,
    /// Every fault that there was, in order, with the number of packets that it was applied to.
    pub faults: Vec<(String, u64)>,
}

/// The link and its faults: what may change while it runs.
#[derive(Debug, Default)]
struct Weather {
    links: [Link; 2],
    faults: Vec<Fault>,
    /// Those before, as they are told: an event names its fault by its place among all.
    former: Vec<(String, u64)>,
}

/// A fault as it is told.
fn told(fault: &Fault) -> (String, u64) {
    (fault.text.clone(), fault.applied)
}

#[derive(Debug, Default)]
struct Shared {
    weather: Mutex<Weather>,
    report: Mutex<Report>,
}

/// A poisoned lock means that the relay's thread died; what it had counted is still worth reading.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running relay. It stops when it is dropped.
#[derive(Debug)]
pub struct Relay {
    shared: Arc<Shared>,
    waker: Arc<Waker>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Relay {
    /// Starts carrying packets between two devices. `seed` is that of all chance.
    pub fn start(first: Tun, second: Tun, seed: u64) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let waker = Arc::new(Waker::new()?);
        let mut carrier = Carrier {
            tuns: [first, second],
            shared: Arc::clone(&shared),
            waker: Arc::clone(&waker),
            queue: Queue::default(),
            flows: Flows::default(),
            random: Random::new(seed),
            last_due_ns: [0; 2],
            free_at_ns: [0; 2],
        };
        let thread = std::thread::Builder::new()
            .name("relay".into())
            .spawn(move || carrier.run())?;
        Ok(Self {
            shared,
            waker,
            thread: Some(thread),
        })
    }

    /// How the link is from now on, forward and backward. Packets under way keep their time.
    pub fn set_links(&self, forward: Link, backward: Link) {
        lock(&self.shared.weather).links = [forward, backward];
    }

    /// Which faults there are from now on; their counts begin anew.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        let mut weather = lock(&self.shared.weather);
        let former: Vec<_> = weather.faults.iter().map(told).collect();
        weather.former.extend(former);
        weather.faults = faults;
    }

    /// What it has done so far.
    pub fn report(&self) -> Report {
        let mut report = lock(&self.shared.report).clone();
        let weather = lock(&self.shared.weather);
        report.faults.clone_from(&weather.former);
        report.faults.extend(weather.faults.iter().map(told));
        report
    }

    /// Stops it, and gives back why it had stopped by itself, if it had.
    pub fn stop(&mut self) -> io::Result<()> {
        self.waker.wake();
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(io::Error::other("the relay's thread died")),
            None => Ok(()),
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // Nobody is left to hear why.
        drop(self.stop());
    }
}

/// What the thread owns.
struct Carrier {
    tuns: [Tun; 2],
    shared: Arc<Shared>,
    waker: Arc<Waker>,
    queue: Queue,
    flows: Flows,
    random: Random,
    last_due_ns: [u64; 2],
    free_at_ns: [u64; 2],
}

/// What becomes of one packet, before the link has its say.
struct Fate {
    copies: usize,
    extra: Duration,
}

const STOP: u64 = 2;

impl Carrier {
    fn run(&mut self) -> io::Result<()> {
        let mut epoll = Epoll::new(3)?;
        epoll.add(self.tuns[0].as_fd(), Interest::READ, 0)?;
        epoll.add(self.tuns[1].as_fd(), Interest::READ, 1)?;
        epoll.add(self.waker.as_fd(), Interest::READ, STOP)?;
        let mut buffer = vec![0; PACKET_MAX];
        loop {
            let pause = self
                .queue
                .next_due_ns()
                .map(|due| Duration::from_nanos(due.saturating_sub(monotonic_ns())));
            epoll.wait(pause)?;
            for index in 0..epoll.ready() {
                match epoll.readiness(index).token {
                    0 => self.receive(Direction::Forward, &mut buffer)?,
                    1 => self.receive(Direction::Backward, &mut buffer)?,
                    _ => return Ok(()),
                }
            }
            self.deliver();
        }
    }

    fn receive(&mut self, direction: Direction, buffer: &mut [u8]) -> io::Result<()> {
        for _ in 0..BURST {
            let Some(length) = self.tuns[direction.index()].receive(buffer)? else {
                return Ok(());
            };
            lock(&self.shared.report).received[direction.index()] += 1;
            self.carry(direction, buffer[..length].to_vec());
        }
        Ok(())
    }

    fn carry(&mut self, direction: Direction, mut packet: Vec<u8>) {
        let tcp = Tcp::of(&packet);
        let kind = tcp.as_ref().map_or(Kind::Other, |tcp| self.flows.kind(tcp));
        let shared = Arc::clone(&self.shared);
        let mut weather = lock(&shared.weather);
        let fate = self.suffer(&mut weather, direction, kind, &mut packet);
        for _ in 0..fate.copies {
            self.travel(
                &weather.links[direction.index()],
                direction,
                kind,
                fate.extra,
                packet.clone(),
            );
        }
    }

    /// Applies every fault that fits, in order.
    fn suffer(&mut self, weather: &mut Weather, direction: Direction, kind: Kind, packet: &mut Vec<u8>) -> Fate {
        let mut fate = Fate {
            copies: 1,
            extra: Duration::ZERO,
        };
        for (index, fault) in weather.faults.iter_mut().enumerate() {
            let tcp = Tcp::of(packet);
            if !fault.applies(kind, direction, tcp.as_ref(), &mut self.random) {
                continue;
            }
            self.log(direction, kind, tcp, Deed::Fault(weather.former.len() + index));
            match (fault.action, tcp) {
                (Action::Delay(time), _) => fate.extra += time,
                (Action::Duplicate, _) => fate.copies *= 2,
                (Action::StripOption(option), Some(tcp)) => {
                    tcp.strip_option(packet, option);
                }
                (Action::StripPayload, Some(tcp)) => {
                    tcp.strip_payload(packet);
                }
                (Action::Reset, Some(tcp)) => {
                    fate.copies = 0;
                    self.answer(direction, Some(tcp.reset(packet)));
                }
                (Action::Prohibit, Some(_)) => {
                    fate.copies = 0;
                    self.answer(direction, prohibited(packet));
                }
                (Action::Drop | Action::Reset | Action::Prohibit, _) => fate.copies = 0,
                (Action::StripOption(_) | Action::StripPayload, None) => {}
            }
            if fate.copies == 0 {
                break;
            }
        }
        fate
    }

    fn answer(&mut self, direction: Direction, answer: Option<Vec<u8>>) {
        if let Some(answer) = answer {
            self.queue.push(monotonic_ns(), direction.opposite(), answer);
        }
    }

    /// Lets the link have its say, and puts the packet on its way.
    fn travel(&mut self, link: &Link, direction: Direction, kind: Kind, extra: Duration, packet: Vec<u8>) {
        let tcp = Tcp::of(&packet);
        if link.mtu > 0 && packet.len() > link.mtu {
            return self.log(direction, kind, tcp, Deed::TooLarge);
        }
        if self.random.happens(link.loss) {
            return self.log(direction, kind, tcp, Deed::Lost);
        }
        if self.queue.waiting(direction) >= QUEUE_MAX {
            return self.log(direction, kind, tcp, Deed::QueueFull);
        }
        if self.random.happens(link.duplicate) {
            self.log(direction, kind, tcp, Deed::Duplicated);
            self.send_off(link, direction, extra, packet.clone());
        }
        if self.random.happens(link.reorder) {
            self.log(direction, kind, tcp, Deed::Reordered);
            self.queue.push(monotonic_ns(), direction, packet);
        } else {
            self.send_off(link, direction, extra, packet);
        }
    }

    /// A packet that a fault delays is overtaken by those behind it; jitter alone keeps their order.
    fn send_off(&mut self, link: &Link, direction: Direction, extra: Duration, packet: Vec<u8>) {
        let at = direction.index();
        let begins = monotonic_ns().max(self.free_at_ns[at]);
        self.free_at_ns[at] = begins + link.occupies(packet.len()).as_nanos() as u64;
        let arrives = self.free_at_ns[at] + link.travel(&mut self.random).as_nanos() as u64;
        let due = if extra.is_zero() {
            self.last_due_ns[at] = arrives.max(self.last_due_ns[at]);
            self.last_due_ns[at]
        } else {
            arrives + extra.as_nanos() as u64
        };
        self.queue.push(due, direction, packet);
    }

    fn deliver(&mut self) {
        let now = monotonic_ns();
        while let Some(parcel) = self.queue.pop_due(now) {
            let taken = self.tuns[parcel.direction.opposite().index()].send(&parcel.bytes);
            if taken {
                lock(&self.shared.report).delivered[parcel.direction.index()] += 1;
            } else {
                self.log(parcel.direction, Kind::Other, Tcp::of(&parcel.bytes), Deed::Refused);
            }
        }
    }

    fn log(&self, direction: Direction, kind: Kind, tcp: Option<Tcp>, deed: Deed) {
        let mut report = lock(&self.shared.report);
        if report.events.len() >= EVENTS_MAX {
            report.events_left_out += 1;
            return;
        }
        report.events.push(Event {
            time_ns: realtime_ns(),
            direction,
            kind,
            tcp,
            deed,
        });
    }
}
