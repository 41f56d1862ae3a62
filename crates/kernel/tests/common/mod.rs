//! Throw-away network namespaces: each belongs to one thread of one test and dies with it.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::fs::{self, File};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;
use std::process::Command;
use std::thread;

use socket2::{Domain, SockAddr, Socket, Type};

/// The near end's addresses.
pub const NEAR: [&str; 2] = ["10.77.0.1", "fd77::1"];
/// The far end's.
pub const FAR: [&str; 2] = ["10.77.0.2", "fd77::2"];

/// Two namespaces joined by a veth pair. The test runs in the near one.
pub struct Lab {
    far: File,
}

/// Runs a test in a fresh pair of namespaces. Without root it says so and passes.
pub fn in_lab(test: impl FnOnce(&Lab) + Send) {
    // SAFETY: no arguments, no effects.
    if unsafe { libc::geteuid() } != 0 {
        eprintln!("skipped: making a network namespace needs root");
        return;
    }
    thread::scope(|scope| {
        let thread = scope.spawn(|| test(&Lab::new()));
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

impl Lab {
    fn new() -> Self {
        let far = thread::spawn(new_namespace).join().expect("the far namespace");
        new_namespace();
        let lab = Self { far };
        let path = format!("/proc/{}/fd/{}", std::process::id(), lab.far.as_raw_fd());
        run(&format!("ip link add near type veth peer name far netns {path}"));
        lab.on_far(|| set_up("far", FAR));
        set_up("near", NEAR);
        lab
    }

    /// Does something in the far namespace; a socket that it makes stays there.
    pub fn on_far<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let far = self.far.as_raw_fd();
        thread::scope(|scope| {
            let thread = scope.spawn(move || {
                // SAFETY: `far` is open; the call changes the namespace of this short-lived thread only.
                assert_eq!(unsafe { libc::setns(far, libc::CLONE_NEWNET) }, 0, "setns");
                work()
            });
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// A program in the far namespace.
    pub fn far_run(&self, command: &str) {
        self.on_far(|| run(command));
    }

    /// A listener in the far namespace that nobody accepts from.
    pub fn far_listener(&self, address: &str, backlog: i32) -> (Socket, SocketAddr) {
        self.on_far(|| listener(address, backlog))
    }
}

fn new_namespace() -> File {
    // SAFETY: changes the namespace of the calling thread only.
    let result = unsafe { libc::unshare(libc::CLONE_NEWNET) };
    assert_eq!(result, 0, "unshare: {}", io::Error::last_os_error());
    run("ip link set lo up");
    File::open("/proc/thread-self/ns/net").expect("the namespace of this thread")
}

fn set_up(interface: &str, addresses: [&str; 2]) {
    run(&format!("ip addr add {}/24 dev {interface}", addresses[0]));
    run(&format!("ip -6 addr add {}/64 dev {interface} nodad", addresses[1]));
    run(&format!("ip link set {interface} up"));
}

/// Runs a program in the namespace of the calling thread.
pub fn run(command: &str) {
    let words: Vec<&str> = command.split_whitespace().collect();
    let output = Command::new(words[0]).args(&words[1..]).output().expect(command);
    assert!(
        output.status.success(),
        "{command}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Loads nft rules into the namespace of the calling thread: a chain's hook and its rules.
pub fn nft(hook: &str, rule: &str) {
    run("nft add table inet t");
    // `nft` takes one argument a word, braces included.
    run(&format!(
        "nft add chain inet t c {{ type filter hook {hook} priority 0 ; }}"
    ));
    run(&format!("nft add rule inet t c {rule}"));
}

/// Sets a sysctl of the namespace of the calling thread.
pub fn sysctl(key: &str, value: &str) {
    fs::write(format!("/proc/sys/net/ipv4/{key}"), value).expect(key);
}

/// A listener at port 0 in the namespace of the calling thread.
pub fn listener(address: &str, backlog: i32) -> (Socket, SocketAddr) {
    let ip: IpAddr = address.parse().expect("a literal address");
    let domain = if ip.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
    let socket = Socket::new(domain, Type::STREAM, None).expect("socket");
    socket.bind(&SockAddr::from(SocketAddr::new(ip, 0))).expect("bind");
    socket.listen(backlog).expect("listen");
    let address = socket
        .local_addr()
        .expect("getsockname")
        .as_socket()
        .expect("an IP address");
    (socket, address)
}

/// A port of an address where nobody listens.
pub fn closed_port(address: &str) -> SocketAddr {
    let (socket, address) = listener(address, 1);
    drop(socket);
    address
}
