//! The decoder against frames written out byte by byte, and against what nobody would write.

mod captures;
mod icmp;
mod ip;
mod link;
mod mutation;
mod options;
mod samples;
mod support;
mod tcp;
mod truncation;
mod tunnel;
