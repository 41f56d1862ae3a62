//! Programs for the kernel's filter of sockets, `struct inet_diag_bc_op` in `include/uapi/linux/inet_diag.h`.
//!
//! A command is `code` (1), `yes` (1), `no` (2): how far to go on when its condition holds, and when it does not. A
//! program that ends exactly at its end accepts, one that goes 4 bytes beyond rejects.

/// `INET_DIAG_BC_JMP`: always goes `no` on.
const JUMP: u8 = 1;
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

fn command(program: &mut Vec<u8>, code: u8, yes: u16, no: u16) {
    program.extend([code, yes as u8]);
    program.extend(no.to_ne_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `inet_diag_bc_run` in a few lines.
    fn accepts(program: &[u8], port: u16) -> bool {
        let mut at = 0;
        while at < program.len() {
            let word = |at: usize| usize::from(u16::from_ne_bytes([program[at + 2], program[at + 3]]));
            let holds = match program[at] {
                JUMP => false,
                LOCAL_PORT_IS => word(at + 4) == usize::from(port),
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
                assert_eq!(accepts(&program, port), ports.contains(&port), "{port} of {count}");
            }
        }
    }

    #[test]
    fn none_and_too_many_are_no_filter() {
        assert!(any_local_port(&[]).is_empty());
        assert!(any_local_port(&[1; 257]).is_empty());
    }
}
