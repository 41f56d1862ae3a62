//! One accepted connection.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::time::Duration;

use socket2::Socket;

use super::{Close, Closed, Ending, Options, Reply};
use crate::sys::{Errno, monotonic_ns};

/// Unsent bytes at which reading stops until some are sent: a client that does not read cannot fill the memory.
const UNSENT_MAX: usize = 256 * 1024;

/// Longest head of a request.
const HEAD_MAX: usize = 16 * 1024;

/// Reads before a close: who sends faster than this gets an RST.
const DRAIN_MAX: usize = 16;

pub(super) struct Connection {
    pub socket: Socket,
    pub id: u64,
    pub peer: SocketAddr,
    accepted: u64,
    received: u64,
    sent: u64,
    unsent: Vec<u8>,
    /// The end of what came: up to three bytes of a head's end, and whether it asks to close.
    head: Vec<u8>,
    replied: bool,
    close_after_reply: bool,
    client_closed: bool,
}

impl Connection {
    pub(super) fn new(socket: Socket, id: u64, peer: SocketAddr, options: &Options) -> Self {
        let mut connection = Self {
            socket,
            id,
            peer,
            accepted: monotonic_ns(),
            received: 0,
            sent: 0,
            unsent: Vec::new(),
            head: Vec::new(),
            replied: false,
            close_after_reply: options.close != Close::AfterClient,
            client_closed: false,
        };
        if let Reply::Banner(banner) = &options.reply {
            connection.unsent.extend_from_slice(banner);
        }
        // A banner is a reply to nothing, and so is silence.
        connection.replied = matches!(options.reply, Reply::Banner(_) | Reply::Silent);
        connection
    }

    /// Reads and writes as far as it goes; `Some` when the connection is over.
    pub(super) fn advance(&mut self, options: &Options, buffer: &mut [u8]) -> Option<Ending> {
        match self.try_advance(options, buffer) {
            Ok(ending) => ending,
            Err(error) => Some(Ending::Failed(Errno::of(&error))),
        }
    }

    fn try_advance(&mut self, options: &Options, buffer: &mut [u8]) -> io::Result<Option<Ending>> {
        loop {
            self.flush()?;
            let quiet = self.unsent.is_empty();
            if quiet && self.replied && self.close_after_reply {
                if options.close == Close::Rst {
                    self.socket.set_linger(Some(Duration::ZERO))?;
                } else {
                    self.drain(buffer)?;
                }
                return Ok(Some(Ending::ByServer));
            }
            if self.client_closed {
                return Ok(quiet.then_some(Ending::ByClient));
            }
            if self.unsent.len() > UNSENT_MAX {
                return Ok(None);
            }
            match (&self.socket).read(buffer) {
                Ok(0) => self.client_closed = true,
                Ok(length) => self.take(&buffer[..length], options)?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes what waits to be read: close() with unread data is an RST, not a FIN.
    fn drain(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        for _ in 0..DRAIN_MAX {
            match (&self.socket).read(buffer) {
                Ok(0) => break,
                Ok(length) => self.received += length as u64,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut done = 0;
        while done < self.unsent.len() {
            match self.socket.send_with_flags(&self.unsent[done..], libc::MSG_NOSIGNAL) {
                Ok(length) => done += length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        self.sent += done as u64;
        self.unsent.drain(..done);
        Ok(())
    }

    fn take(&mut self, bytes: &[u8], options: &Options) -> io::Result<()> {
        self.received += bytes.len() as u64;
        match &options.reply {
            Reply::Silent | Reply::Banner(_) => {}
            Reply::Echo => {
                self.unsent.extend_from_slice(bytes);
                self.replied = true;
            }
            Reply::Http(body) => self.take_requests(bytes, body)?,
        }
        Ok(())
    }

    /// Answers each complete head; bodies of requests are not expected.
    fn take_requests(&mut self, bytes: &[u8], body: &[u8]) -> io::Result<()> {
        self.head.extend_from_slice(bytes);
        let mut from = 0;
        while let Some(length) = self.head[from..].windows(4).position(|w| w == b"\r\n\r\n") {
            let close = wants_close(&self.head[from..from + length]);
            from += length + 4;
            self.close_after_reply |= close;
            let connection = if self.close_after_reply { "close" } else { "keep-alive" };
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: {connection}\r\n\r\n",
                body.len()
            );
            self.unsent.extend_from_slice(head.as_bytes());
            self.unsent.extend_from_slice(body);
            self.replied = true;
            if self.close_after_reply {
                break;
            }
        }
        self.head.drain(..from);
        if self.head.len() > HEAD_MAX {
            return Err(io::Error::from_raw_os_error(libc::EMSGSIZE));
        }
        Ok(())
    }

    pub(super) fn closed(&self, ending: Ending) -> Closed {
        Closed {
            id: self.id,
            peer: self.peer,
            ending,
            received: self.received,
            sent: self.sent,
            open_ns: monotonic_ns() - self.accepted,
        }
    }
}

/// RFC 9112 section 9.3: HTTP/1.0 without keep-alive, or `Connection: close`.
fn wants_close(head: &[u8]) -> bool {
    let head = head.to_ascii_lowercase();
    let mut lines = head.split(|&b| b == b'\n').map(<[u8]>::trim_ascii);
    let old = lines.next().is_some_and(|line| line.ends_with(b"http/1.0"));
    let option = lines
        .find_map(|line| line.strip_prefix(b"connection:"))
        .map(<[u8]>::trim_ascii);
    match option {
        Some(b"close") => true,
        Some(b"keep-alive") => false,
        _ => old,
    }
}

#[cfg(test)]
mod tests {
    use super::wants_close;

    #[test]
    fn the_request_says_whether_to_close() {
        let cases = [
            ("GET / HTTP/1.1\r\nHost: x", false),
            ("GET / HTTP/1.1\r\nConnection: close", true),
            ("GET / HTTP/1.1\r\nHost: x\r\nCONNECTION:Close", true),
            ("GET / HTTP/1.0", true),
            ("GET / HTTP/1.0\r\nConnection: Keep-Alive", false),
            ("", false),
        ];
        for (head, close) in cases {
            assert_eq!(wants_close(head.as_bytes()), close, "{head:?}");
        }
    }
}
