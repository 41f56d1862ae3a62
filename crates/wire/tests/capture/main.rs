//! Reading captures: every format gives the same frames, and damage costs no more than what it damaged.

mod compression;
mod damage;
mod formats;
mod fuzzing;
mod mutation;
mod pcapng;
mod pipe;
mod samples;
mod set;
mod support;
mod writer;
