//! How much of this namespace is in the hash, before it is looked at: `/proc/net/sockstat`, and `/proc/net/snmp`.

use std::fs;

use crate::sys::segments_arrived;

/// The files of the calling thread's namespace. (`/proc/net` is that of the main thread.)
const V4: &str = "/proc/thread-self/net/sockstat";
const V6: &str = "/proc/thread-self/net/sockstat6";

/// Sockets in the hash, half-open requests not counted. 0 only where there are none of those either, for certain; `None`
/// where that is not, and where the files cannot be read.
pub(super) fn hashed_sockets() -> Option<u64> {
    let read = |path| fs::read_to_string(path).ok();
    let v4 = read(V4)?;
    // No file without IPv6.
    let v6 = read(V6).unwrap_or_default();
    let sockets = sum(&v4, &v6)?;
    // Half-open requests are no sockets to sockstat, and outlive the listener that they were for
    // (inet_csk_listen_stop() leaves them to their timers): only where no segment ever arrived there is none.
    (sockets > 0 || segments_arrived() == Some(0)).then_some(sockets)
}

/// Sockets that are bound or connected, listeners and TIME_WAIT included.
fn sum(v4: &str, v6: &str) -> Option<u64> {
    Some(number(v4, "TCP: ", "inuse")? + number(v4, "TCP: ", "tw")? + number(v6, "TCP6: ", "inuse").unwrap_or(0))
}

/// The number behind a word, of the line that begins so.
fn number(text: &str, line: &str, word: &str) -> Option<u64> {
    let mut words = text.lines().find_map(|one| one.strip_prefix(line))?.split_whitespace();
    words.find(|&one| one == word)?;
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::sum;

    const V4: &str = "sockets: used 132\nTCP: inuse 5 orphan 1 tw 3 alloc 9 mem 2\nUDP: inuse 7 mem 0\n";
    const V6: &str = "TCP6: inuse 4\nUDP6: inuse 3\n";

    #[test]
    fn both_families_and_time_wait_are_added() {
        assert_eq!(sum(V4, V6), Some(12));
        assert_eq!(sum(V4, ""), Some(8));
    }

    #[test]
    fn what_is_no_such_file_is_unknown() {
        for text in ["", "TCP: inuse", "TCP: inuse x tw 1", "TCP: inuse 1 orphan 2"] {
            assert_eq!(sum(text, V6), None, "{text}");
        }
    }
}
