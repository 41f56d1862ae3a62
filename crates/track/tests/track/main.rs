//! The tracker against scenarios written by hand (`tests/scenarios`), against random traffic, and against its own pages.

mod expect;
mod notation;
mod pages;
mod properties;
mod scenario;
mod scenarios;
