//! A packet socket: opened deaf, filtered, then bound, so that nothing arrives that the filter does not want.

use std::ffi::CString;
use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::cooked::Origin;
use crate::sys::set_int;

/// Packets fetched with one call.
const BATCH: usize = 64;
/// For control messages: a time (16 bytes) and auxiliary data (20), each with a header, padded: 80 bytes; aligned words.
const CONTROL_WORDS: usize = 16;
/// Of the queue in the kernel, so that a burst fits. Beyond `net.core.rmem_max` only for root.
const QUEUE_BYTES: libc::c_int = 32 << 20;

/// `TP_STATUS_VLAN_VALID`, `TP_STATUS_VLAN_TPID_VALID`.
const VLAN_VALID: u32 = 1 << 4;
const VLAN_TPID_VALID: u32 = 1 << 6;

/// An open socket and the room for what it gives.
#[derive(Debug)]
pub(super) struct PacketSocket {
    fd: OwnedFd,
    snaplen: usize,
    packets: Vec<u8>,
    addresses: Vec<libc::sockaddr_ll>,
    control: Vec<[usize; CONTROL_WORDS]>,
    received: Vec<(usize, usize)>,
    dropped: u64,
}

impl PacketSocket {
    /// On one interface, or on all that the network namespace of the calling thread has or gets. Needs `CAP_NET_RAW`.
    pub fn open(interface: Option<&str>, filter: &[libc::sock_filter], snaplen: usize) -> io::Result<Self> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: no pointers; the result is checked before it is owned. Protocol 0: no packets until it is bound.
        let fd = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just handed out this descriptor, nobody else has it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        let index = interface.map_or(Ok(0), index_of)?;
        attach(&fd, filter)?;
        set_int(&fd, libc::SOL_PACKET, libc::PACKET_AUXDATA, 1)?;
        set_int(&fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
        if set_int(&fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, QUEUE_BYTES).is_err() {
            set_int(&fd, libc::SOL_SOCKET, libc::SO_RCVBUF, QUEUE_BYTES)?;
        }
        bind(&fd, index)?;
        // SAFETY: an all-zero sockaddr_ll is a valid one.
        let address: libc::sockaddr_ll = unsafe { zeroed() };
        Ok(Self {
            fd,
            snaplen,
            packets: vec![0; BATCH * snaplen],
            addresses: vec![address; BATCH],
            control: vec![[0; CONTROL_WORDS]; BATCH],
            received: Vec::with_capacity(BATCH),
            dropped: 0,
        })
    }

    /// Fetches what is there, at most a batch; how many.
    pub fn receive(&mut self) -> io::Result<usize> {
        self.received.clear();
        let mut vectors: Vec<libc::iovec> = self
            .packets
            .chunks_exact_mut(self.snaplen)
            .map(|room| libc::iovec {
                iov_base: room.as_mut_ptr().cast(),
                iov_len: room.len(),
            })
            .collect();
        // SAFETY: an all-zero mmsghdr is a valid one (null pointers with zero lengths).
        let mut headers: [libc::mmsghdr; BATCH] = unsafe { zeroed() };
        for (index, header) in headers.iter_mut().enumerate() {
            let message = &mut header.msg_hdr;
            message.msg_name = (&raw mut self.addresses[index]).cast();
            message.msg_namelen = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
            message.msg_iov = &raw mut vectors[index];
            message.msg_iovlen = 1;
            message.msg_control = self.control[index].as_mut_ptr().cast();
            message.msg_controllen = size_of::<[usize; CONTROL_WORDS]>();
        }
        // SAFETY: every header points to an address, a vector and control data that live through the call and have the
        // sizes given; `vectors` points into `packets`, which nobody else touches meanwhile.
        let count = unsafe {
            libc::recvmmsg(
                self.fd.as_raw_fd(),
                headers.as_mut_ptr(),
                BATCH as libc::c_uint,
                libc::MSG_DONTWAIT,
                std::ptr::null_mut(),
            )
        };
        let Ok(count) = usize::try_from(count) else {
            let error = io::Error::last_os_error();
            return match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(0),
                // The interface went down or away; what was queued is still there.
                _ if error.raw_os_error() == Some(libc::ENETDOWN) => Ok(0),
                _ => Err(error),
            };
        };
        let lengths = headers[..count].iter().map(|header| {
            let length = header.msg_len as usize;
            (length.min(self.snaplen), header.msg_hdr.msg_controllen)
        });
        self.received.extend(lengths);
        Ok(count)
    }

    /// The `index`-th of the last batch: time, origin, bytes.
    pub fn packet(&self, index: usize) -> (Option<i64>, Origin, &[u8]) {
        let (length, control_len) = self.received[index];
        let start = index * self.snaplen;
        let bytes = &self.packets[start..start + length];
        let mut control = [0; size_of::<[usize; CONTROL_WORDS]>()];
        for (bytes, word) in control.chunks_exact_mut(size_of::<usize>()).zip(&self.control[index]) {
            bytes.copy_from_slice(&word.to_ne_bytes());
        }
        let control = &control[..control_len.min(control.len())];
        let address = &self.addresses[index];
        let mut origin = Origin {
            protocol: u16::from_be(address.sll_protocol),
            interface: address.sll_ifindex as u32,
            hardware: address.sll_hatype,
            direction: address.sll_pkttype,
            address: address.sll_addr,
            address_len: address.sll_halen.min(8),
            length: length as u32,
            vlan: None,
        };
        let time = read_control(control, &mut origin);
        (time, origin, bytes)
    }

    /// Packets that passed the filter and found no room in the queue, since the socket exists.
    pub fn dropped(&mut self) -> u64 {
        // SAFETY: an all-zero tpacket_stats is a valid one.
        let mut statistics: libc::tpacket_stats = unsafe { zeroed() };
        let mut length = size_of::<libc::tpacket_stats>() as libc::socklen_t;
        // SAFETY: the descriptor is open; the pointer is to live statistics of the size that `length` says.
        let result = unsafe {
            libc::getsockopt(
                self.fd.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                (&raw mut statistics).cast(),
                &raw mut length,
            )
        };
        if result == 0 {
            // Reading sets them to zero.
            self.dropped += u64::from(statistics.tp_drops);
        }
        self.dropped
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn index_of(name: &str) -> io::Result<libc::c_int> {
    let terminated = CString::new(name)?;
    // SAFETY: a live string that ends with a zero byte.
    match unsafe { libc::if_nametoindex(terminated.as_ptr()) } {
        0 => Err(io::Error::last_os_error()),
        index => Ok(index as libc::c_int),
    }
}

fn attach(fd: &OwnedFd, filter: &[libc::sock_filter]) -> io::Result<()> {
    let program = libc::sock_fprog {
        len: u16::try_from(filter.len()).map_err(io::Error::other)?,
        filter: filter.as_ptr().cast_mut(),
    };
    // SAFETY: the descriptor is open; the program points to `filter`, which lives through the call, which copies it and
    // does not write to it.
    let result = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const program).cast(),
            size_of::<libc::sock_fprog>() as libc::socklen_t,
        )
    };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

fn bind(fd: &OwnedFd, index: libc::c_int) -> io::Result<()> {
    // SAFETY: an all-zero sockaddr_ll is a valid one.
    let mut address: libc::sockaddr_ll = unsafe { zeroed() };
    address.sll_family = libc::AF_PACKET as libc::c_ushort;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = index;
    // SAFETY: the descriptor is open; the pointer is to a live sockaddr_ll of the size that is given.
    let result = unsafe {
        libc::bind(
            fd.as_raw_fd(),
            (&raw const address).cast(),
            size_of::<libc::sockaddr_ll>() as libc::socklen_t,
        )
    };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

const CONTROL_HEADER: usize = size_of::<libc::cmsghdr>();

/// Walks the control messages: length (including the header), level, type, data, padding to a word. The time, where the
/// kernel took one; length and tag go into the origin.
fn read_control(mut bytes: &[u8], origin: &mut Origin) -> Option<i64> {
    let mut time = None;
    while let Some((length, level, kind)) = control_header(bytes) {
        let Some(data) = bytes.get(CONTROL_HEADER..length) else {
            break;
        };
        match (level, kind) {
            (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => time = timespec(data),
            (libc::SOL_PACKET, libc::PACKET_AUXDATA) => auxiliary(data, origin),
            _ => {}
        }
        bytes = bytes
            .get(length.next_multiple_of(size_of::<usize>())..)
            .unwrap_or_default();
    }
    time
}

fn control_header(bytes: &[u8]) -> Option<(usize, i32, i32)> {
    let length = usize::from_ne_bytes(*bytes.first_chunk()?);
    let word = |at: usize| Some(i32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?));
    Some((length, word(size_of::<usize>())?, word(size_of::<usize>() + 4)?))
}

fn timespec(data: &[u8]) -> Option<i64> {
    let word = |index: usize| {
        let bytes = data.get(index * size_of::<libc::time_t>()..)?;
        Some(libc::time_t::from_ne_bytes(*bytes.first_chunk()?))
    };
    Some(word(0)? * 1_000_000_000 + word(1)?)
}

/// `struct tpacket_auxdata`: status, length, captured (4 each), offsets of the headers (2 each), tag, its EtherType (2 each).
fn auxiliary(data: &[u8], origin: &mut Origin) {
    use crate::netlink::{u16_at, u32_at};
    let (Some(status), Some(length)) = (u32_at(data, 0), u32_at(data, 4)) else {
        return;
    };
    origin.length = length;
    if status & VLAN_VALID != 0 {
        let kind = u16_at(data, 18).filter(|_| status & VLAN_TPID_VALID != 0);
        origin.vlan = u16_at(data, 16).map(|tag| (kind.unwrap_or(libc::ETH_P_8021Q as u16), tag));
    }
}
