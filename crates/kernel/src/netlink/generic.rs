//! Generic netlink: families by name. `include/uapi/linux/genetlink.h`.

use std::io;

use super::bytes::u16_at;
use super::message::{Attributes, Message};
use super::request::Request;
use super::socket::{Netlink, Receiver};

/// `struct genlmsghdr`: command (1), version (1), reserved (2).
pub const GENERIC_HEADER: usize = 4;

/// The controller: `GENL_ID_CTRL`, `CTRL_CMD_GETFAMILY`, `CTRL_ATTR_FAMILY_ID`, `CTRL_ATTR_FAMILY_NAME`.
const CONTROLLER: u16 = 16;
const GET_FAMILY: u8 = 3;
const FAMILY_ID: u16 = 1;
const FAMILY_NAME: u16 = 2;

/// A request of a generic family.
pub fn generic_header(command: u8) -> [u8; GENERIC_HEADER] {
    [command, 1, 0, 0]
}

#[derive(Default)]
struct Family(Option<u16>);

impl Receiver for Family {
    fn restart(&mut self) {
        self.0 = None;
    }

    fn message(&mut self, message: &Message<'_>) {
        let attributes = message.payload.get(GENERIC_HEADER..).unwrap_or_default();
        let id = Attributes::new(attributes).find(FAMILY_ID);
        self.0 = id.and_then(|value| u16_at(value, 0)).or(self.0);
    }
}

/// The message type of a family on this kernel; `ENOENT` when it has none of that name.
pub fn generic_family(netlink: &mut Netlink, name: &str) -> io::Result<u16> {
    let mut terminated = name.as_bytes().to_vec();
    terminated.push(0);
    let request = Request::ask(CONTROLLER, &generic_header(GET_FAMILY)).with(FAMILY_NAME, &terminated);
    let mut family = Family::default();
    netlink.dump(&request, &mut family)?;
    family.0.ok_or_else(|| io::Error::from_raw_os_error(libc::ENOENT))
}
