//! Programs for the kernel's filter of sockets, `struct inet_diag_bc_op` in `include/uapi/linux/inet_diag.h`.
//!
//! A command is `code` (1), `yes` (1), `no` (2): how far to go on when its condition holds, and when it does not. A
//! program that ends exactly at its end accepts, one that goes 4 bytes beyond rejects.

/// `INET_DIAG_BC_JMP`: always goes `no` on.
const JUMP: u8 = 1;
/// `INET_DIAG_BC_S_GE`, `_S_LE`, `_D_GE`, `_D_LE`: the local or remote port is not below, or not above, that of the next command.
const COMPARISONS: [[u8; 2]; 2] = [[2, 3], [4, 5]];
/// `INET_DIAG_BC_S_EQ` (Linux 4.16): the local port is that of the next command, in its `no`.
const LOCAL_PORT_IS: u8 = 11;

const COMMAND: u16 = 4;
/// A test of a port: the command and its operand.
const TEST: u16 = 2 * COMMAND;
/// A test, and the jump to the end behind it.
const STEP: u16 = TEST + COMMAND;
/// Longer programs are slower than sockets that are read in vain; and jumps have 16 bits.
const MAX_PORTS: usize = 256;

/// Accepts sockets on any of these local ports. Empty, which is no filter, for none or more than [`MAX_PORTS`].
pub(super) fn any_local_port(ports: &[u16]) -> Vec<u8> {
    let mut program = Vec::new();
    if ports.len() > MAX_PORTS {
        return program;
    }
    for (index, &port) in ports.iter().enumerate() {
        let behind = (ports.len() - 1 - index) as u16;
        // Past the jump: to the next test, or out behind the last.
        command(&mut program, LOCAL_PORT_IS, TEST, STEP);
        command(&mut program, 0, 0, port);
        if behind > 0 {
            // To the end: the jump itself and the steps behind it, of which the last has no jump.
            command(&mut program, JUMP, COMMAND, behind * STEP);
        }
    }
    program
}

/// Whose port is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Local,
    Remote,
}

/// Accepts sockets whose port on a side is below `first`, and those where it is not: each socket by exactly one of the two.
/// `first` is not 0.
pub(super) fn below_and_from(side: Side, first: u16) -> [Vec<u8>; 2] {
    let [at_least, at_most] = COMPARISONS[side as usize];
    [(at_most, first.saturating_sub(1)), (at_least, first)].map(|(code, port)| {
        let mut program = Vec::new();
        command(&mut program, code, TEST, TEST + COMMAND);
        command(&mut program, 0, 0, port);
        program
    })
}

fn command(program: &mut Vec<u8>, code: u8, yes: u16, no: u16) {
    program.extend([code, yes as u8]);
    program.extend(no.to_ne_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `inet_diag_bc_run` in a few lines.
    fn accepts(program: &[u8], local: u16, remote: u16) -> bool {
        let (local, remote) = (usize::from(local), usize::from(remote));
        let mut at = 0;
        while at < program.len() {
            let word = |at: usize| usize::from(u16::from_ne_bytes([program[at + 2], program[at + 3]]));
            let holds = match program[at] {
                JUMP => false,
                2 => local >= word(at + 4),
                3 => local <= word(at + 4),
                4 => remote >= word(at + 4),
                5 => remote <= word(at + 4),
                LOCAL_PORT_IS => word(at + 4) == local,
                code => panic!("command {code}"),
            };
            at += if holds { usize::from(program[at + 1]) } else { word(at) };
        }
        at == program.len()
    }

    #[test]
    fn each_of_the_ports_is_accepted_and_no_other() {
        for count in [1, 2, 3, 256] {
            let ports: Vec<u16> = (0..count).map(|n| 1000 + 3 * n).collect();
            let program = any_local_port(&ports);
            for port in 990..2000 {
                assert_eq!(accepts(&program, port, 0), ports.contains(&port), "{port} of {count}");
            }
        }
    }

    #[test]
    fn a_port_is_either_below_or_not() {
        for first in [1, 2, 40_000, u16::MAX] {
            let [below, from] = below_and_from(Side::Local, first);
            let [below_remote, from_remote] = below_and_from(Side::Remote, first);
            for port in [0, 1, 2, 39_999, 40_000, 40_001, u16::MAX - 1, u16::MAX] {
                assert_eq!(accepts(&below, port, 7), port < first, "{port} of {first}");
                assert_eq!(accepts(&from, port, 7), port >= first, "{port} of {first}");
                assert_eq!(accepts(&below_remote, 7, port), port < first, "{port} of {first}");
                assert_eq!(accepts(&from_remote, 7, port), port >= first, "{port} of {first}");
            }
        }
    }

    #[test]
    fn none_and_too_many_are_no_filter() {
        assert!(any_local_port(&[]).is_empty());
        assert!(any_local_port(&[1; 257]).is_empty());
    }
}
