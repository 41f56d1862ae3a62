//! Where finished handshakes go.

use crate::Handshake;
use crate::finish::finish;
use crate::flow::{Detail, Flow};

/// A connection that is over, before its record is written out: half as large, so that another thread can do that.
#[derive(Clone, Debug)]
pub struct Ended {
    flow: Flow,
    detail: Option<Box<Detail>>,
    evicted: bool,
}

impl Ended {
    /// Out of the table.
    pub(crate) const fn new(flow: Flow, detail: Option<Box<Detail>>, evicted: bool) -> Self {
        Self { flow, detail, evicted }
    }

    /// Its record.
    pub fn record(&self) -> Handshake {
        finish(&self.flow, self.detail.as_deref(), self.evicted)
    }
}

/// Takes each handshake once, when nothing that is still to come can change it.
pub trait Sink {
    /// Takes one handshake. They come in the order in which they end, which is not the order in which they begin.
    fn handshake(&mut self, handshake: &Handshake);

    /// Takes one before its record is made. A sink that hands it to another thread overrides this.
    fn ended(&mut self, ended: Ended) {
        self.handshake(&ended.record());
    }
}
