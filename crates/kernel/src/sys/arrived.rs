//! Whether any TCP segment ever arrived in a network namespace: where none did, the kernel has little to tell of it.

use std::fs;

/// Of the calling thread's namespace. (`/proc/net` is that of the main thread.)
const SNMP: &str = "/proc/thread-self/net/snmp";

/// TCP segments that have arrived in the namespace of the calling thread; `None` where that cannot be read.
pub fn segments_arrived() -> Option<u64> {
    segments_in(&fs::read_to_string(SNMP).ok()?)
}

/// Two lines that begin so: the names and the values.
fn segments_in(snmp: &str) -> Option<u64> {
    let mut lines = snmp.lines().filter_map(|line| line.strip_prefix("Tcp: "));
    let column = lines.next()?.split(' ').position(|name| name == "InSegs")?;
    lines.next()?.split(' ').nth(column)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::segments_in;

    #[test]
    fn segments_are_found_by_their_name() {
        let snmp = "Ip: Forwarding InReceives\nIp: 2 9\nTcp: RtoMin InSegs OutSegs\nTcp: 200 7 8\n";
        assert_eq!(segments_in(snmp), Some(7));
        assert_eq!(segments_in("Tcp: RtoMin OutSegs\nTcp: 200 8\n"), None);
        assert_eq!(segments_in(""), None);
    }
}
