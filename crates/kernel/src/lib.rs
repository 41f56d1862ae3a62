//! # kernel: sockets and the kernel
//!
//! The only crate with `unsafe`: `sock_diag`, packet rings, the connect engine and eBPF live here, each as a module.
//!
//! **Architecture Invariant:** every `unsafe` block argues its SAFETY; this crate and `track` never see each other.
