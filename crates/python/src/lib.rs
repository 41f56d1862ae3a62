//! # python: the only crate that knows pyo3
//!
//! **Architecture Invariant:** no logic. It converts arguments, releases the interpreter lock, calls, and converts back.

mod against;
mod capture;
mod error;
mod exchange;
mod lab;
mod load;
mod netns;
mod network;
mod probe;
mod records;
mod results;
mod serve;
mod settings;
mod sockets;
mod trace;

use halfopen_kernel::memory::HugePages;
use pyo3::prelude::*;

/// The flow table is read at random: see `halfopen_kernel::memory`.
#[global_allocator]
static ALLOCATOR: HugePages = HugePages;

/// `halfopen._core`: private to the package, typed by `src/halfopen/_core.pyi`.
#[pymodule]
mod _core {
    #[pymodule_export]
    use crate::against::{Against, against};
    #[pymodule_export]
    use crate::capture::Capture;
    #[pymodule_export]
    use crate::error::SocketSetupError;
    #[pymodule_export]
    use crate::exchange::exchanges;
    #[pymodule_export]
    use crate::lab::{Flood, Relay, Tun, create_namespace, unshare_user};
    #[pymodule_export]
    use crate::load::load;
    #[pymodule_export]
    use crate::netns::enter_netns;
    #[pymodule_export]
    use crate::network::{conntrack_counts, network_interfaces, network_routes, network_rules, tcp_metrics};
    #[pymodule_export]
    use crate::probe::probe;
    #[pymodule_export]
    use crate::records::Records;
    #[pymodule_export]
    use crate::results::{Handshakes, handshake_fields};
    #[pymodule_export]
    use crate::serve::Server;
    #[pymodule_export]
    use crate::settings::{private_proc, read_named_settings, read_settings};
    #[pymodule_export]
    use crate::sockets::{SocketOwners, tcp_census, tcp_sockets};
    #[pymodule_export]
    use crate::trace::{CaptureError, Trace, trace};

    /// The version in Cargo.toml.
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");

    /// The Git revision that this was built from; `build.rs` found it.
    #[pymodule_export]
    const REVISION: &str = env!("HALFOPEN_REVISION");
}
