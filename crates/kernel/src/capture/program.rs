//! An assembler for classic BPF: statements, labels, and jumps forward to them. `include/uapi/linux/filter.h`.

/// A place in a program; bound once, jumped to from before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Label(usize);

/// Where the two ways of a conditional jump lead.
#[derive(Clone, Copy, Debug)]
struct Jump {
    at: usize,
    yes: Label,
    no: Label,
}

/// A program that is being written. X is the index register, A the accumulator, M the scratch memory.
#[derive(Clone, Default, Debug)]
pub struct Program {
    code: Vec<libc::sock_filter>,
    places: Vec<Option<usize>>,
    jumps: Vec<Jump>,
}

/// `BPF_LD`, `BPF_LDX`…, combined as the manual combines them.
pub mod op {
    /// A = 4, 2, 1 bytes at k.
    pub const LOAD_WORD: u16 = 0x20;
    pub const LOAD_HALF: u16 = 0x28;
    /// A = 4, 2, 1 bytes at X + k.
    pub const LOAD_WORD_X: u16 = 0x40;
    pub const LOAD_HALF_X: u16 = 0x48;
    pub const LOAD_BYTE_X: u16 = 0x50;
    /// A = M[k].
    pub const LOAD_MEMORY: u16 = 0x60;
    /// X = k.
    pub const SET_X: u16 = 0x01;
    /// M[k] = A.
    pub const STORE: u16 = 0x02;
    pub const ADD: u16 = 0x04;
    pub const ADD_X: u16 = 0x0c;
    pub const SUBTRACT_X: u16 = 0x1c;
    pub const AND: u16 = 0x54;
    pub const SHIFT_LEFT: u16 = 0x64;
    pub const SHIFT_RIGHT: u16 = 0x74;
    /// X = A, A = X.
    pub const A_TO_X: u16 = 0x07;
    pub const X_TO_A: u16 = 0x87;
    pub const RETURN: u16 = 0x06;
    /// A == k, A & k != 0.
    pub const IF_EQUAL: u16 = 0x15;
    pub const IF_SET: u16 = 0x45;
    /// Always; the distance is k.
    pub const JUMP: u16 = 0x05;
}

impl Program {
    /// A place that is not bound yet.
    pub fn label(&mut self) -> Label {
        self.places.push(None);
        Label(self.places.len() - 1)
    }

    /// Binds a label to what comes next.
    pub fn bind(&mut self, label: Label) {
        self.places[label.0] = Some(self.code.len());
    }

    /// One statement.
    pub fn put(&mut self, code: u16, k: u32) {
        self.code.push(libc::sock_filter { code, jt: 0, jf: 0, k });
    }

    /// A conditional jump.
    pub fn branch(&mut self, code: u16, k: u32, yes: Label, no: Label) {
        let at = self.code.len();
        self.put(code, k);
        self.jumps.push(Jump { at, yes, no });
    }

    /// Goes to `yes` when the condition holds, else on.
    pub fn when(&mut self, code: u16, k: u32, yes: Label) {
        let next = self.label();
        self.branch(code, k, yes, next);
        self.bind(next);
    }

    /// Goes to `no` when the condition does not hold, else on.
    pub fn unless(&mut self, code: u16, k: u32, no: Label) {
        let next = self.label();
        self.branch(code, k, next, no);
        self.bind(next);
    }

    /// An unconditional jump.
    pub fn go(&mut self, to: Label) {
        self.branch(op::JUMP, 0, to, to);
    }

    /// The code with its jumps filled in; `None` when a conditional one is too far (255 statements) or a label is not bound.
    pub fn finish(mut self) -> Option<Vec<libc::sock_filter>> {
        for jump in &self.jumps {
            let distance = |label: Label| self.places[label.0]?.checked_sub(jump.at + 1);
            let (yes, no) = (distance(jump.yes)?, distance(jump.no)?);
            let statement = &mut self.code[jump.at];
            if statement.code == op::JUMP {
                statement.k = yes as u32;
            } else {
                (statement.jt, statement.jf) = (yes.try_into().ok()?, no.try_into().ok()?);
            }
        }
        Some(self.code)
    }
}
