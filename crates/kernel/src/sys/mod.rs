//! System calls and kernel structures, each as a small safe wrapper. The `unsafe` of the connect engine is here.

mod arrived;
mod clock;
mod directory;
mod epoll;
mod errno;
mod error_queue;
mod limits;
mod option;
mod proc_mount;
mod tcp_info;

pub use arrived::segments_arrived;
pub use clock::{Clock, exact_timers, monotonic_ns, processor_wait_ns, realtime_ns};
pub use directory::{Directory, Entry};
pub use epoll::{Epoll, Interest, Readiness, Waker};
pub use errno::{Errno, errno_name};
pub use error_queue::{IcmpError, read_icmp_error};
pub use limits::raise_descriptor_limit;
pub use option::{accept, bind_address_no_port, connect_unspecified, get_int, set_int, tcp_saved_syn_len};
pub use proc_mount::private_proc;
pub use tcp_info::{TcpInfo, TcpOptions, TcpState};
