//! As much of an HTTP/1.1 client as it takes to know where a response ends, RFC 9112 section 6.

/// Longest head of a response that is read.
const HEAD_MAX: usize = 64 * 1024;

/// A GET request.
pub fn get_request(path: &str, host: &str, keep_alive: bool) -> Vec<u8> {
    let connection = if keep_alive { "keep-alive" } else { "close" };
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: {connection}\r\nUser-Agent: halfopen\r\n\r\n")
        .into_bytes()
}

/// The response is not HTTP/1.x.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct BadResponse;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Head,
    /// Bytes of the body to come.
    Length(u64),
    /// A chunk's size line; the size so far, and whether its digits are over.
    ChunkSize(u64, bool),
    /// Bytes of the chunk and its line end to come.
    Chunk(u64),
    /// Bytes of the present trailer line.
    Trailer(u64),
    UntilClose,
    Complete,
}

/// One response, as far as it has come.
#[derive(Debug)]
pub(super) struct Response {
    state: State,
    /// The head so far, when it did not come in one piece.
    head: Vec<u8>,
    status: u16,
}

impl Response {
    pub(super) const fn new() -> Self {
        Self {
            state: State::Head,
            head: Vec::new(),
            status: 0,
        }
    }

    /// Ready for the next one.
    pub(super) fn reset(&mut self) {
        self.state = State::Head;
        self.status = 0;
        self.head.clear();
    }

    /// The status code; 0 before the head was complete.
    pub(super) const fn status(&self) -> u16 {
        self.status
    }

    /// Marks the response as no response.
    pub(super) fn spoil(&mut self) {
        self.status = 0;
    }

    /// Whether the end of the stream is a proper end.
    pub(super) fn may_close(&self) -> bool {
        matches!(self.state, State::UntilClose | State::Complete)
    }

    /// Takes more bytes; true when the response is complete. What follows its end is ignored: nothing was asked for.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) -> Result<bool, BadResponse> {
        while self.state == State::Head {
            let Some(rest) = self.feed_head(bytes)? else {
                return Ok(false);
            };
            bytes = rest;
        }
        match self.state {
            State::Length(left) => {
                let left = left.saturating_sub(bytes.len() as u64);
                self.state = if left == 0 {
                    State::Complete
                } else {
                    State::Length(left)
                };
            }
            State::UntilClose | State::Complete | State::Head => {}
            _ => self.feed_chunks(bytes)?,
        }
        Ok(self.state == State::Complete)
    }

    /// What follows the head, when it is complete.
    fn feed_head<'a>(&mut self, bytes: &'a [u8]) -> Result<Option<&'a [u8]>, BadResponse> {
        if self.head.is_empty()
            && let Some(end) = end_of_head(bytes)
        {
            (self.status, self.state) = parse_head(&bytes[..end])?;
            return Ok(Some(&bytes[end..]));
        }
        let before = self.head.len();
        self.head.extend_from_slice(bytes);
        let Some(end) = end_of_head(&self.head) else {
            return if self.head.len() > HEAD_MAX {
                Err(BadResponse)
            } else {
                Ok(None)
            };
        };
        (self.status, self.state) = parse_head(&self.head[..end])?;
        self.head.clear();
        Ok(Some(&bytes[end - before..]))
    }

    fn feed_chunks(&mut self, mut bytes: &[u8]) -> Result<(), BadResponse> {
        while let Some((&byte, rest)) = bytes.split_first() {
            (self.state, bytes) = match self.state {
                State::ChunkSize(size, over) => (chunk_size(size, over, byte)?, rest),
                State::Chunk(left) => {
                    let taken = left.min(bytes.len() as u64);
                    let next = if taken == left {
                        State::ChunkSize(0, false)
                    } else {
                        State::Chunk(left - taken)
                    };
                    (next, &bytes[taken as usize..])
                }
                State::Trailer(length) => (trailer(length, byte), rest),
                State::Complete | State::Head | State::Length(_) | State::UntilClose => return Ok(()),
            };
        }
        Ok(())
    }
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|w| w == b"\r\n\r\n").map(|at| at + 4)
}

/// RFC 9112 section 7.1: hexadecimal digits, perhaps an extension, a line end.
fn chunk_size(size: u64, over: bool, byte: u8) -> Result<State, BadResponse> {
    match (byte, char::from(byte).to_digit(16)) {
        (b'\n', _) if size == 0 => Ok(State::Trailer(0)),
        (b'\n', _) => Ok(State::Chunk(size.checked_add(2).ok_or(BadResponse)?)),
        (_, Some(digit)) if !over => {
            let size = size.checked_mul(16).ok_or(BadResponse)?;
            Ok(State::ChunkSize(size | u64::from(digit), false))
        }
        (b';' | b'\r' | b' ' | b'\t', _) => Ok(State::ChunkSize(size, true)),
        _ if over => Ok(State::ChunkSize(size, true)),
        _ => Err(BadResponse),
    }
}

/// An empty line ends the trailer.
const fn trailer(length: u64, byte: u8) -> State {
    match byte {
        b'\n' if length == 0 => State::Complete,
        b'\n' => State::Trailer(0),
        b'\r' => State::Trailer(length),
        _ => State::Trailer(length + 1),
    }
}

/// Status, and how the end of the body is found.
fn parse_head(head: &[u8]) -> Result<(u16, State), BadResponse> {
    let mut lines = head.split(|&b| b == b'\n').map(<[u8]>::trim_ascii_end);
    let status = parse_status(lines.next().unwrap_or_default())?;
    if (100..200).contains(&status) {
        // An interim response; the real one follows.
        return Ok((status, State::Head));
    }
    let mut end = State::UntilClose;
    for line in lines {
        let Some(colon) = line.iter().position(|&b| b == b':') else {
            continue;
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") && end == State::UntilClose {
            let digits = std::str::from_utf8(value)
                .ok()
                .and_then(|v| v.parse().ok())
                .ok_or(BadResponse)?;
            end = State::Length(digits);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") && value.to_ascii_lowercase().ends_with(b"chunked") {
            end = State::ChunkSize(0, false);
        }
    }
    if matches!(status, 204 | 304) || end == State::Length(0) {
        end = State::Complete;
    }
    Ok((status, end))
}

fn parse_status(line: &[u8]) -> Result<u16, BadResponse> {
    let rest = line.strip_prefix(b"HTTP/1.").ok_or(BadResponse)?;
    let digits = rest.get(2..5).ok_or(BadResponse)?;
    std::str::from_utf8(digits)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or(BadResponse)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (response, status, whether its end is known without the end of the stream).
    const CASES: &[(&str, u16, bool)] = &[
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, true),
        ("HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n", 200, true),
        ("HTTP/1.0 404 Not Found\r\n\r\nno such page", 404, false),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, true),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n10;x=y\r\n0123456789abcdef\r\n0\r\n\r\n",
            200,
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\nA: b\r\n\r\n",
            200,
            true,
        ),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx",
            201,
            true,
        ),
        // Transfer-Encoding wins over Content-Length, RFC 9112 section 6.3.
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n0\r\n\r\n",
            200,
            true,
        ),
    ];

    #[test]
    fn a_response_ends_where_it_should_whole_and_byte_by_byte() {
        for &(text, status, complete) in CASES {
            let mut response = Response::new();
            assert_eq!(response.feed(text.as_bytes()), Ok(complete), "{text:?}");
            assert_eq!((response.status(), response.may_close()), (status, true), "{text:?}");

            response.reset();
            for (index, byte) in text.bytes().enumerate() {
                let done = response.feed(&[byte]).expect(text);
                assert_eq!(done, complete && index + 1 == text.len(), "{text:?} at {index}");
            }
        }
    }

    #[test]
    fn what_is_not_http_is_refused() {
        for text in [
            "SSH-2.0-x\r\n\r\n",
            "HTTP/1.1 abc\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        ] {
            assert_eq!(Response::new().feed(text.as_bytes()), Err(BadResponse), "{text:?}");
        }
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        for size in ["g\r\n", "fffffffffffffffff\r\n", "ffffffffffffffff\r\n"] {
            assert_eq!(
                Response::new().feed(format!("{chunked}{size}").as_bytes()),
                Err(BadResponse),
                "{size:?}"
            );
        }
        assert_eq!(Response::new().feed(&vec![b'x'; HEAD_MAX + 1]), Err(BadResponse));
    }

    #[test]
    fn a_cut_response_may_not_close() {
        let mut response = Response::new();
        assert_eq!(
            response.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"),
            Ok(false)
        );
        assert!(!response.may_close());
    }
}
