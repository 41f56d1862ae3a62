//! What the fuzz targets check, as plain functions: each takes any bytes, and panics where what must always hold does not.
#![forbid(unsafe_code)]

pub mod capture;
pub mod decode;
