//! THE state table: RFC 9293's machine as an observer on the path sees it, as data.
//!
//! The vantage point: segments of both directions pass us, but some of them may be lost, doubled or reordered before or
//! after us, so a state says what the packets *prove*, not what either end believes. Each row is *(direction, segment
//! class, states) → next | ignore | invalid* with its reason. *Ignore* is legal and changes nothing (a retransmission,
//! data); *invalid* is a segment that no honest peer in this state sends, or that does not fit the sequence numbers.
//! The two are never merged. A pair that no row names cannot exist: a test walks every cell.
//!
//! Everything that decides a transition is in this file or, for the numbers, in `classify.rs`; the tracker (`tracker.rs`)
//! only carries out.

use crate::named::named;
use crate::record::Side;

named! {
    /// What the packets so far prove about a connection.
    State {
        /// Nothing was seen.
        Closed "CLOSED",
        /// The client's SYN was seen.
        SynSent "SYN_SENT",
        /// A SYN-ACK that fits the SYN was seen.
        SynRecv "SYN_RECV",
        /// Both sides sent a SYN (RFC 9293 section 3.5, figure 7).
        SimultaneousSyn "SIMULTANEOUS_SYN",
        /// Both sent a SYN and the client acknowledged the server's.
        SimultaneousClientAcked "SIMULTANEOUS_CLIENT_ACKED",
        /// Both sent a SYN and the server acknowledged the client's.
        SimultaneousServerAcked "SIMULTANEOUS_SERVER_ACKED",
        /// A SYN-ACK was seen whose SYN was not captured.
        SynAckFirst "SYN_ACK_FIRST",
        /// Both SYNs are acknowledged.
        Established "ESTABLISHED",
        /// The client sent FIN.
        FinClient "FIN_CLIENT",
        /// The client sent FIN and the server acknowledged it.
        FinClientAcked "FIN_CLIENT_ACKED",
        /// The server sent FIN.
        FinServer "FIN_SERVER",
        /// The server sent FIN and the client acknowledged it.
        FinServerAcked "FIN_SERVER_ACKED",
        /// Both sent FIN, neither is acknowledged.
        FinBoth "FIN_BOTH",
        /// Both sent FIN; the client's is acknowledged.
        FinBothClientAcked "FIN_BOTH_CLIENT_ACKED",
        /// Both sent FIN; the server's is acknowledged.
        FinBothServerAcked "FIN_BOTH_SERVER_ACKED",
        /// Both FINs are acknowledged: only `TIME_WAIT` is left.
        TimeWait "TIME_WAIT",
        /// A believable RST ended it.
        Reset "RESET",
    }
}

named! {
    /// What a segment is, after its numbers were held against the flow (`classify.rs`).
    Class {
        /// SYN of a side whose initial sequence number was unknown.
        Syn "SYN",
        /// SYN with the same initial sequence number as before.
        SynRepeated "SYN repeated",
        /// SYN with another initial sequence number than before, or with the same behind a connection that was reset.
        SynOther "SYN, other ISN",
        /// SYN-ACK that acknowledges the peer's SYN.
        SynAck "SYN-ACK",
        /// SYN-ACK that acknowledges the peer's SYN, with another initial sequence number than before.
        SynAckOther "SYN-ACK, other ISN",
        /// SYN-ACK that acknowledges something else.
        SynAckWrong "SYN-ACK, wrong ack",
        /// SYN-ACK behind an ACK of the client that cannot have acknowledged it.
        SynAckDisproving "SYN-ACK, disproving the ACK",
        /// ACK that acknowledges the peer's SYN, with or without data.
        Ack "ACK",
        /// ACK of the server, before completion, for data that the client sent after its SYN.
        AckOfData "ACK of data",
        /// ACK that acknowledges the peer's FIN.
        AckOfFin "ACK of FIN",
        /// ACK whose numbers do not fit.
        AckWrong "ACK, wrong numbers",
        /// FIN at the end of the sender's data.
        Fin "FIN",
        /// RST whose numbers fit.
        Rst "RST",
        /// ACK that shows that the RST before it was not believed by its receiver.
        RstDisproved "ACK, disproving the RST",
        /// RST of the client for a SYN-ACK that acknowledged something else.
        RstOfWrong "RST for a wrong SYN-ACK",
        /// RST whose numbers do not fit.
        RstBlind "RST, wrong numbers",
        /// None of SYN, ACK, FIN and RST, or SYN together with RST.
        NoFlags "impossible flags",
    }
}

impl Class {
    /// Whether its sender has the peer's SYN: the ACK half of a FIN is one of these.
    pub const fn acknowledges(self) -> bool {
        matches!(self, Self::Ack | Self::AckOfData | Self::AckOfFin | Self::RstDisproved)
    }
}

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cell {
    /// Go to this state.
    Next(State),
    /// Legal, and changes nothing.
    Ignore,
    /// Not what an honest peer sends here.
    Invalid,
}

impl Cell {
    /// The name of the verdict.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Next(_) => "next",
            Self::Ignore => "ignore",
            Self::Invalid => "invalid",
        }
    }
}

/// One row: for each of `states`, a segment of `class` from `from` leads to `cell`, because `why` (`source`).
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The sender; `None` for either.
    pub from: Option<Side>,
    /// The segment.
    pub class: Class,
    /// Where the row holds.
    pub states: &'static [State],
    /// What follows.
    pub cell: Cell,
    /// Why, in one sentence.
    pub why: &'static str,
    /// RFC section or kernel function.
    pub source: &'static str,
}

use Cell::{Ignore, Invalid, Next};
use Class as C;
use State as S;

const CLIENT: Option<Side> = Some(Side::Client);
const SERVER: Option<Side> = Some(Side::Server);
const EITHER: Option<Side> = None;

/// Data may flow or a close is under way.
const SYNCHRONIZED: &[State] = &[
    S::Established,
    S::FinClient,
    S::FinClientAcked,
    S::FinServer,
    S::FinServerAcked,
    S::FinBoth,
    S::FinBothClientAcked,
    S::FinBothServerAcked,
];
/// Before completion, with the client's SYN seen.
const OPENING: &[State] = &[
    S::SynSent,
    S::SynRecv,
    S::SimultaneousSyn,
    S::SimultaneousClientAcked,
    S::SimultaneousServerAcked,
];
const SIMULTANEOUS: &[State] = &[
    S::SimultaneousSyn,
    S::SimultaneousClientAcked,
    S::SimultaneousServerAcked,
];
const FINISHED: &[State] = &[S::TimeWait, S::Reset];
/// Before completion, or behind the end.
const NOT_OPEN: &[State] = &[
    S::SynSent,
    S::SynRecv,
    S::SimultaneousSyn,
    S::SimultaneousClientAcked,
    S::SimultaneousServerAcked,
    S::SynAckFirst,
    S::TimeWait,
    S::Reset,
];
/// Everything that is not [`State::Closed`].
const OPEN: &[State] = &[
    S::SynSent,
    S::SynRecv,
    S::SimultaneousSyn,
    S::SimultaneousClientAcked,
    S::SimultaneousServerAcked,
    S::SynAckFirst,
    S::Established,
    S::FinClient,
    S::FinClientAcked,
    S::FinServer,
    S::FinServerAcked,
    S::FinBoth,
    S::FinBothClientAcked,
    S::FinBothServerAcked,
    S::TimeWait,
    S::Reset,
];

/// Every state of a connection that no RST ended.
const NOT_RESET: &[State] = match OPEN.split_last() {
    Some((S::Reset, others)) => others,
    _ => panic!("the reset one is the last"),
};

const fn row(
    from: Option<Side>,
    class: Class,
    states: &'static [State],
    cell: Cell,
    why: &'static str,
    source: &'static str,
) -> Row {
    Row {
        from,
        class,
        states,
        cell,
        why,
        source,
    }
}

/// The table. The order of rows is the order of a connection's life; no two rows name the same cell.
#[rustfmt::skip] // one row, one line
pub const ROWS: &[Row] = &[
    // ---- SYN
    row(EITHER, C::Syn, &[S::Closed], Next(S::SynSent), "The first SYN: its sender is the client.", "RFC 9293 3.10.7.2"),
    row(SERVER, C::Syn, &[S::SynSent], Next(S::SimultaneousSyn), "The other side sends a SYN of its own: simultaneous open or split handshake.", "RFC 9293 3.5 figure 7"),
    row(CLIENT, C::Syn, &[S::SynAckFirst], Next(S::SynRecv), "The SYN behind its own SYN-ACK: the capture reordered them.", "packet(7): taps of two queues are not ordered"),
    row(CLIENT, C::SynRepeated, &[S::SynSent, S::SynRecv], Ignore, "Retransmission of the SYN: the same attempt.", "RFC 6298 2.1, tcp_retransmit_timer()"),
    row(EITHER, C::SynRepeated, SIMULTANEOUS, Ignore, "Retransmission of a SYN of a simultaneous open.", "RFC 9293 3.5"),
    row(EITHER, C::SynRepeated, SYNCHRONIZED, Ignore, "A late retransmission of the SYN; the peer answers it with a challenge ACK.", "RFC 5961 4.2"),
    row(CLIENT, C::SynRepeated, &[S::SynAckFirst], Ignore, "A retransmission of the SYN that was not captured.", "RFC 6298 2.1"),
    row(CLIENT, C::SynRepeated, &[S::Reset], Next(S::SynSent), "The client tries the refused SYN again (Windows does, three times).", "RFC 9293 3.10.7.3: the RST ends the attempt, the user may repeat it"),
    row(SERVER, C::SynRepeated, &[S::Reset], Ignore, "A late SYN of the side that was reset.", "RFC 9293 3.10.7.1"),
    row(EITHER, C::SynRepeated, &[S::TimeWait], Ignore, "A late copy of the SYN after the end.", "RFC 9293 3.10.7.4"),
    row(EITHER, C::SynOther, NOT_OPEN, Next(S::SynSent), "The four-tuple is used again: a new attempt.", "RFC 9293 3.6.1, RFC 6191"),
    row(EITHER, C::SynOther, SYNCHRONIZED, Ignore, "An open connection answers it with a challenge ACK: it is held until an answer makes it the next attempt, or its sender's own segments show that it was forged.", "RFC 5961 4"),
    row(CLIENT, C::Syn, SYNCHRONIZED, Ignore, "The SYN behind its own SYN-ACK and ACK: the capture reordered them.", "packet(7)"),
    row(CLIENT, C::Syn, FINISHED, Ignore, "The SYN behind the whole of its connection: the capture reordered them.", "packet(7)"),
    row(SERVER, C::Syn, SYNCHRONIZED, Invalid, "A SYN from the side whose SYN-ACK was not captured.", "RFC 5961 4"),
    row(SERVER, C::Syn, FINISHED, Next(S::SynSent), "The other side opens a connection on the same four-tuple.", "RFC 9293 3.6.1"),
    row(CLIENT, C::Syn, OPENING, Invalid, "The client's initial sequence number is known: unreachable.", "this file"),
    row(SERVER, C::Syn, &[S::SynRecv, S::SynAckFirst, S::SimultaneousSyn, S::SimultaneousClientAcked, S::SimultaneousServerAcked], Invalid, "The server's initial sequence number is known: unreachable.", "this file"),
    row(SERVER, C::SynRepeated, &[S::SynRecv], Next(S::SimultaneousServerAcked), "The server's SYN behind its SYN-ACK: a simultaneous open that the capture reordered.", "RFC 9293 3.5 figure 7, packet(7)"),
    row(SERVER, C::SynRepeated, &[S::SynSent, S::SynAckFirst], Ignore, "The SYN of the answering side once more.", "RFC 9293 3.5"),
    // ---- SYN-ACK
    row(EITHER, C::SynAck, &[S::Closed], Next(S::SynAckFirst), "The capture begins between SYN and SYN-ACK: its receiver is the client.", "RFC 9293 3.5"),
    row(SERVER, C::SynAck, &[S::SynSent], Next(S::SynRecv), "The SYN-ACK acknowledges the client's SYN.", "RFC 9293 3.5 figure 6"),
    row(SERVER, C::SynAck, &[S::SynRecv, S::SynAckFirst], Ignore, "Retransmission of the SYN-ACK.", "tcp_rtx_synack()"),
    row(CLIENT, C::SynAck, &[S::SimultaneousSyn], Next(S::SimultaneousClientAcked), "The client acknowledges the server's SYN, repeating its own.", "RFC 9293 3.5 figure 7"),
    row(SERVER, C::SynAck, &[S::SimultaneousSyn], Next(S::SimultaneousServerAcked), "The server acknowledges the client's SYN, repeating its own.", "RFC 9293 3.5 figure 7"),
    row(SERVER, C::SynAck, &[S::SimultaneousClientAcked], Next(S::Established), "Both SYNs are acknowledged.", "RFC 9293 3.5 figure 7"),
    row(CLIENT, C::SynAck, &[S::SimultaneousServerAcked], Next(S::Established), "Both SYNs are acknowledged.", "RFC 9293 3.5 figure 7"),
    row(CLIENT, C::SynAck, &[S::SimultaneousClientAcked], Ignore, "Retransmission of the client's SYN-ACK.", "RFC 9293 3.5"),
    row(SERVER, C::SynAck, &[S::SimultaneousServerAcked], Ignore, "Retransmission of the server's SYN-ACK.", "RFC 9293 3.5"),
    row(CLIENT, C::SynAck, &[S::SynSent, S::SynRecv, S::SynAckFirst], Invalid, "The side that opened answers itself.", "RFC 9293 3.10.7.3"),
    row(EITHER, C::SynAck, SYNCHRONIZED, Ignore, "The SYN-ACK again: the final ACK was lost, late, or dropped by a full accept queue.", "tcp_rtx_synack(), RFC 5961 4.2"),
    row(EITHER, C::SynAck, FINISHED, Ignore, "A late SYN-ACK after the end.", "RFC 9293 3.10.7.1"),
    row(SERVER, C::SynAckOther, &[S::SynSent], Next(S::SynRecv), "The attempt was reset and tried again: the server answers with another number.", "RFC 9293 3.10.7.2"),
    row(SERVER, C::SynAckOther, &[S::SynRecv, S::SynAckFirst], Ignore, "Another answer with another number: a second responder, a SYN cookie of the next minute, or a restarted server.", "cookie_hash(), RFC 4987 3.6"),
    row(CLIENT, C::SynAckOther, &[S::SynSent, S::SynRecv, S::SynAckFirst], Invalid, "The side that opened answers itself.", "RFC 9293 3.10.7.3"),
    row(EITHER, C::SynAckOther, SIMULTANEOUS, Invalid, "Neither side may change its number during a simultaneous open.", "RFC 9293 3.5"),
    row(EITHER, C::SynAckOther, SYNCHRONIZED, Invalid, "A second answer after completion.", "RFC 5961 4"),
    row(EITHER, C::SynAckOther, FINISHED, Invalid, "A second answer after the end.", "RFC 9293 3.10.7.1"),
    row(SERVER, C::SynAckWrong, &[S::SynSent], Invalid, "It acknowledges something that was not sent: the client answers with RST and goes on waiting.", "RFC 9293 3.10.7.3 first check"),
    row(CLIENT, C::SynAckWrong, &[S::SynSent], Invalid, "The side that opened answers itself.", "RFC 9293 3.10.7.3"),
    row(EITHER, C::SynAckWrong, &[S::SynRecv, S::SimultaneousSyn, S::SimultaneousClientAcked, S::SimultaneousServerAcked, S::SynAckFirst], Invalid, "It acknowledges something that was not sent.", "RFC 9293 3.10.7.4"),
    row(EITHER, C::SynAckWrong, SYNCHRONIZED, Invalid, "It acknowledges something that was not sent.", "RFC 5961 5"),
    row(EITHER, C::SynAckWrong, FINISHED, Invalid, "It belongs to another connection.", "RFC 9293 3.10.7.1"),
    row(SERVER, C::SynAckDisproving, &[S::Established], Next(S::SynRecv), "The ACK before it acknowledged a number that the server never had: it was blind.", "RFC 9293 3.10.7.4 fifth check"),
    row(SERVER, C::SynAckDisproving, &[S::Closed, S::SynSent, S::SynRecv, S::SimultaneousSyn, S::SimultaneousClientAcked, S::SimultaneousServerAcked, S::SynAckFirst, S::FinClient, S::FinClientAcked, S::FinServer, S::FinServerAcked, S::FinBoth, S::FinBothClientAcked, S::FinBothServerAcked, S::TimeWait, S::Reset], Ignore, "Looked for only while an ACK without its SYN-ACK stands: unreachable.", "this file"),
    row(CLIENT, C::SynAckDisproving, &[S::Closed], Ignore, "Only the server's: unreachable.", "this file"),
    row(CLIENT, C::SynAckDisproving, OPEN, Ignore, "Only the server's SYN-ACK disproves: unreachable.", "this file"),
    // ---- ACK
    row(CLIENT, C::Ack, &[S::SynSent], Next(S::Established), "The client acknowledges a SYN-ACK that was not captured.", "RFC 9293 3.10.7.3: only a SYN-ACK lets the client send it"),
    row(SERVER, C::Ack, &[S::SynSent], Ignore, "A challenge ACK, or the ACK of a split handshake, before the server's SYN.", "RFC 5961 4.2, RFC 9293 3.10.7.3"),
    row(CLIENT, C::Ack, &[S::SynRecv, S::SynAckFirst], Next(S::Established), "The client acknowledges the server's SYN.", "RFC 9293 3.5 figure 6"),
    row(SERVER, C::Ack, &[S::SynRecv], Ignore, "Fast Open: the server may send data before the final ACK.", "RFC 7413 4.2.2"),
    row(SERVER, C::Ack, &[S::SynAckFirst], Ignore, "Data of the server; the client's direction is not captured or late.", "RFC 9293 3.10.7.4"),
    row(CLIENT, C::Ack, &[S::SimultaneousSyn], Next(S::SimultaneousClientAcked), "A bare ACK acknowledges the server's SYN as well as a SYN-ACK does (split handshake), or is captured before that.", "RFC 9293 3.10.7.3 fourth check"),
    row(SERVER, C::Ack, &[S::SimultaneousSyn], Next(S::SimultaneousServerAcked), "The server acknowledges the client's SYN with a bare ACK, or did so before its own SYN (split handshake in five segments).", "RFC 9293 3.10.7.3 fourth check"),
    row(SERVER, C::Ack, &[S::SimultaneousClientAcked], Next(S::Established), "Split handshake: SYN, SYN, SYN-ACK, ACK.", "RFC 9293 3.5 (four-way form of figure 7)"),
    row(CLIENT, C::Ack, &[S::SimultaneousClientAcked], Ignore, "The client repeats its acknowledgment.", "RFC 9293 3.5"),
    row(CLIENT, C::Ack, &[S::SimultaneousServerAcked], Next(S::Established), "The client acknowledges the server's SYN.", "RFC 9293 3.5"),
    row(SERVER, C::Ack, &[S::SimultaneousServerAcked], Ignore, "The server repeats its acknowledgment.", "RFC 9293 3.5"),
    row(EITHER, C::Ack, SYNCHRONIZED, Ignore, "Data and acknowledgments.", "RFC 9293 3.10.7.4"),
    row(EITHER, C::Ack, FINISHED, Ignore, "A late segment after the end.", "RFC 9293 3.10.7.4"),
    row(SERVER, C::AckOfData, &[S::SynRecv, S::SynAckFirst], Next(S::Established), "The final ACK was not captured: the server acknowledges data that it takes only after it.", "RFC 9293 3.10.7.4 fifth check"),
    row(CLIENT, C::AckOfData, &[S::SynRecv, S::SynAckFirst], Ignore, "Only the server's acknowledgment proves completion: unreachable.", "this file"),
    row(EITHER, C::AckOfData, &[S::Closed, S::SynSent, S::SimultaneousSyn, S::SimultaneousClientAcked, S::SimultaneousServerAcked], Ignore, "Told apart from ACK only behind a SYN-ACK: unreachable.", "this file"),
    row(EITHER, C::AckOfData, SYNCHRONIZED, Ignore, "Told apart from ACK only behind a SYN-ACK: unreachable.", "this file"),
    row(EITHER, C::AckOfData, FINISHED, Ignore, "Told apart from ACK only behind a SYN-ACK: unreachable.", "this file"),
    row(CLIENT, C::AckOfFin, &[S::FinServer], Next(S::FinServerAcked), "The server's FIN is acknowledged: FIN-WAIT-2 there, CLOSE-WAIT here.", "RFC 9293 3.6 figure 12"),
    row(SERVER, C::AckOfFin, &[S::FinClient], Next(S::FinClientAcked), "The client's FIN is acknowledged: FIN-WAIT-2 there, CLOSE-WAIT here.", "RFC 9293 3.6 figure 12"),
    row(CLIENT, C::AckOfFin, &[S::FinBoth], Next(S::FinBothServerAcked), "Of two FINs the server's is acknowledged.", "RFC 9293 3.6 figure 13"),
    row(SERVER, C::AckOfFin, &[S::FinBoth], Next(S::FinBothClientAcked), "Of two FINs the client's is acknowledged.", "RFC 9293 3.6 figure 13"),
    row(CLIENT, C::AckOfFin, &[S::FinBothClientAcked], Next(S::TimeWait), "The last FIN is acknowledged.", "RFC 9293 3.6"),
    row(SERVER, C::AckOfFin, &[S::FinBothServerAcked], Next(S::TimeWait), "The last FIN is acknowledged.", "RFC 9293 3.6"),
    row(CLIENT, C::AckOfFin, &[S::FinServerAcked, S::FinBothServerAcked], Ignore, "The FIN is acknowledged once more.", "RFC 9293 3.10.7.4"),
    row(SERVER, C::AckOfFin, &[S::FinClientAcked, S::FinBothClientAcked], Ignore, "The FIN is acknowledged once more.", "RFC 9293 3.10.7.4"),
    row(CLIENT, C::AckOfFin, &[S::Established, S::FinClient, S::FinClientAcked], Invalid, "There is no FIN to acknowledge: unreachable.", "this file"),
    row(SERVER, C::AckOfFin, &[S::Established, S::FinServer, S::FinServerAcked], Invalid, "There is no FIN to acknowledge: unreachable.", "this file"),
    row(EITHER, C::AckOfFin, FINISHED, Ignore, "The last acknowledgment once more.", "RFC 9293 3.10.7.4"),
    row(EITHER, C::AckOfFin, &[S::SynSent, S::SynRecv, S::SimultaneousSyn, S::SimultaneousClientAcked, S::SimultaneousServerAcked, S::SynAckFirst], Invalid, "Told apart from ACK only after completion: unreachable.", "this file"),
    row(EITHER, C::AckWrong, OPENING, Invalid, "A blind ACK establishes nothing: it does not acknowledge the peer's SYN, or does not follow its own.", "RFC 9293 3.10.7.4, RFC 5961 5"),
    row(EITHER, C::AckWrong, &[S::SynAckFirst], Invalid, "A blind ACK establishes nothing.", "RFC 5961 5"),
    row(EITHER, C::AckWrong, SYNCHRONIZED, Ignore, "Numbers out of the window: late, lost in the capture, or forged; the connection stays.", "RFC 9293 3.10.7.4"),
    row(EITHER, C::AckWrong, FINISHED, Ignore, "A late segment after the end.", "RFC 9293 3.10.7.4"),
    // ---- FIN (its ACK half was walked before)
    row(CLIENT, C::Fin, &[S::Established], Next(S::FinClient), "The client closes first.", "RFC 9293 3.6"),
    row(SERVER, C::Fin, &[S::Established], Next(S::FinServer), "The server closes first.", "RFC 9293 3.6"),
    row(SERVER, C::Fin, &[S::FinClient], Next(S::FinBoth), "The server closes without having seen the client's FIN: simultaneous close.", "RFC 9293 3.6 figure 13"),
    row(CLIENT, C::Fin, &[S::FinServer], Next(S::FinBoth), "The client closes without having seen the server's FIN: simultaneous close.", "RFC 9293 3.6 figure 13"),
    row(SERVER, C::Fin, &[S::FinClientAcked], Next(S::FinBothClientAcked), "The server closes second: LAST-ACK.", "RFC 9293 3.6 figure 12"),
    row(CLIENT, C::Fin, &[S::FinServerAcked], Next(S::FinBothServerAcked), "The client closes second: LAST-ACK.", "RFC 9293 3.6 figure 12"),
    row(CLIENT, C::Fin, &[S::FinClient, S::FinClientAcked], Ignore, "Retransmission of the FIN.", "RFC 6298"),
    row(SERVER, C::Fin, &[S::FinServer, S::FinServerAcked], Ignore, "Retransmission of the FIN.", "RFC 6298"),
    row(EITHER, C::Fin, &[S::FinBoth, S::FinBothClientAcked, S::FinBothServerAcked], Ignore, "Retransmission of a FIN.", "RFC 6298"),
    row(EITHER, C::Fin, &[S::TimeWait], Ignore, "Retransmission of a FIN after the end; TIME-WAIT acknowledges it again.", "RFC 9293 3.10.7.4"),
    row(EITHER, C::Fin, &[S::Reset], Ignore, "A FIN after an RST: it meets no connection.", "RFC 9293 3.10.7.1"),
    row(SERVER, C::Fin, &[S::SynRecv, S::SynAckFirst], Ignore, "The server closes before the final ACK, as Fast Open lets it: walked once the connection is synchronized.", "RFC 9293 3.10.4 CLOSE in SYN-RECEIVED, RFC 7413 4.2.2"),
    row(CLIENT, C::Fin, &[S::SynSent, S::SynRecv, S::SynAckFirst], Invalid, "Its ACK synchronizes the connection first: unreachable.", "this file"),
    row(SERVER, C::Fin, &[S::SynSent], Ignore, "The server's FIN with an ACK of the SYN, before its SYN-ACK: that was not captured, or the capture reordered them. Walked once the connection is synchronized.", "packet(7)"),
    row(SERVER, C::Fin, &[S::SimultaneousServerAcked], Ignore, "The server closes before the client's acknowledgment was captured: walked once the connection is synchronized.", "RFC 9293 3.10.4 CLOSE in SYN-RECEIVED"),
    row(CLIENT, C::Fin, &[S::SimultaneousClientAcked], Ignore, "The client closes before the server's acknowledgment was captured: walked once the connection is synchronized.", "RFC 9293 3.10.4 CLOSE in SYN-RECEIVED"),
    row(SERVER, C::Fin, &[S::SimultaneousSyn, S::SimultaneousClientAcked], Invalid, "Its ACK leads on before: unreachable.", "this file"),
    row(CLIENT, C::Fin, &[S::SimultaneousSyn, S::SimultaneousServerAcked], Invalid, "Its ACK leads on before: unreachable.", "this file"),
    // ---- RST
    row(SERVER, C::Rst, &[S::SynSent], Next(S::Reset), "Refused: nobody listens, or something in between says so.", "RFC 9293 3.10.7.3 second check"),
    row(CLIENT, C::Rst, &[S::SynSent], Next(S::Reset), "The client gives up its own SYN.", "RFC 9293 3.10.7.4"),
    row(CLIENT, C::Rst, &[S::SynRecv, S::SynAckFirst], Next(S::Reset), "The client refuses the SYN-ACK: it gave up, scans, or never sent the SYN.", "RFC 9293 3.10.7.1"),
    row(SERVER, C::Rst, &[S::SynRecv, S::SynAckFirst], Next(S::Reset), "The server takes its SYN-ACK back.", "RFC 9293 3.10.7.4, tcp_check_req()"),
    row(CLIENT, C::RstOfWrong, OPENING, Ignore, "The client resets a stranger's SYN-ACK, and goes on waiting for its own.", "RFC 9293 3.5 figure 8, 3.10.7.3 first check"),
    row(CLIENT, C::RstOfWrong, &[S::Closed, S::SynAckFirst], Ignore, "There is no SYN to hold a SYN-ACK against: unreachable.", "this file"),
    row(CLIENT, C::RstOfWrong, SYNCHRONIZED, Ignore, "Told apart from RST only before completion: unreachable.", "this file"),
    row(CLIENT, C::RstOfWrong, FINISHED, Ignore, "Told apart from RST only before completion: unreachable.", "this file"),
    row(SERVER, C::RstOfWrong, &[S::Closed], Ignore, "Only the client's: unreachable.", "this file"),
    row(SERVER, C::RstOfWrong, OPEN, Ignore, "Only the client's: unreachable.", "this file"),
    row(EITHER, C::Rst, SIMULTANEOUS, Next(S::Reset), "A simultaneous open ends with RST.", "RFC 9293 3.10.7.4"),
    row(EITHER, C::Rst, SYNCHRONIZED, Next(S::Reset), "The connection is reset.", "RFC 9293 3.10.7.4 second check"),
    row(EITHER, C::Rst, FINISHED, Ignore, "An RST for a connection that has ended.", "RFC 1337"),
    row(EITHER, C::RstDisproved, &[S::Reset], Next(S::Established), "Both ends go on behind an RST with another number than the next one: its receiver asked back, and it was forged.", "RFC 5961 3.2"),
    row(EITHER, C::RstDisproved, &[S::Closed], Ignore, "There is no earlier RST: unreachable.", "this file"),
    row(EITHER, C::RstDisproved, NOT_RESET, Ignore, "Looked for only behind an RST: unreachable.", "this file"),
    row(EITHER, C::RstBlind, OPEN, Invalid, "Its numbers do not fit: the receiver drops it or challenges it.", "RFC 5961 3.2"),
    // ---- without a known connection, and without flags
    row(EITHER, C::Ack, &[S::Closed], Ignore, "A connection from before the capture began: counted as midstream.", "design.md section 5"),
    row(EITHER, C::Fin, &[S::Closed], Ignore, "A connection from before the capture began: counted as midstream.", "design.md section 5"),
    row(EITHER, C::Rst, &[S::Closed], Ignore, "A connection from before the capture began: counted as midstream.", "design.md section 5"),
    row(EITHER, C::NoFlags, &[S::Closed], Invalid, "Without SYN, ACK, FIN or RST, or with SYN and RST at once, it starts nothing (scan).", "RFC 9293 3.10.7.2"),
    row(EITHER, C::NoFlags, OPEN, Invalid, "Every segment after the SYN carries ACK, and none carries SYN and RST at once.", "RFC 9293 3.1, nf_conntrack tcp_valid_flags"),
    row(EITHER, C::SynRepeated, &[S::Closed], Ignore, "There is no earlier SYN: unreachable.", "this file"),
    row(EITHER, C::SynOther, &[S::Closed], Ignore, "There is no earlier SYN: unreachable.", "this file"),
    row(EITHER, C::SynAckOther, &[S::Closed], Ignore, "There is no earlier SYN-ACK: unreachable.", "this file"),
    row(EITHER, C::SynAckWrong, &[S::Closed], Ignore, "There is no SYN to hold it against: unreachable.", "this file"),
    row(EITHER, C::AckOfFin, &[S::Closed], Ignore, "There is no FIN: unreachable.", "this file"),
    row(EITHER, C::AckWrong, &[S::Closed], Ignore, "There are no numbers to hold it against: unreachable.", "this file"),
    row(EITHER, C::RstBlind, &[S::Closed], Ignore, "There are no numbers to hold it against: unreachable.", "this file"),
];

const SIDES: usize = 2;
const CLASSES: usize = Class::ALL.len();
const STATES: usize = State::ALL.len();
const NO_ROW: u8 = u8::MAX;

/// The rows, spread out: index of the row for each cell, so that the walker does one load.
const INDEX: [[[u8; STATES]; CLASSES]; SIDES] = {
    let mut index = [[[NO_ROW; STATES]; CLASSES]; SIDES];
    let mut r = 0;
    while r < ROWS.len() {
        let row = &ROWS[r];
        let mut side = 0;
        while side < SIDES {
            let wanted = match row.from {
                None => true,
                Some(s) => s as usize == side,
            };
            let mut i = 0;
            while wanted && i < row.states.len() {
                let cell = &mut index[side][row.class as usize][row.states[i] as usize];
                assert!(*cell == NO_ROW, "two rows name the same cell");
                *cell = r as u8;
                i += 1;
            }
            side += 1;
        }
        r += 1;
    }
    let mut side = 0;
    while side < SIDES {
        let mut class = 0;
        while class < CLASSES {
            let mut state = 0;
            while state < STATES {
                assert!(index[side][class][state] != NO_ROW, "a cell without a row");
                state += 1;
            }
            class += 1;
        }
        side += 1;
    }
    index
};

/// The row for one segment in one state.
pub const fn lookup(from: Side, class: Class, state: State) -> &'static Row {
    &ROWS[INDEX[from as usize][class as usize][state as usize] as usize]
}

impl State {
    /// Before completion.
    pub(crate) const fn is_opening(self) -> bool {
        matches!(
            self,
            S::SynSent
                | S::SynRecv
                | S::SynAckFirst
                | S::SimultaneousSyn
                | S::SimultaneousClientAcked
                | S::SimultaneousServerAcked
        )
    }

    /// Nothing that is still to come opens or closes it.
    pub(crate) const fn is_over(self) -> bool {
        matches!(self, S::TimeWait | S::Reset)
    }

    /// Not before completion, where a FIN waits for it, and not behind the end.
    pub(crate) const fn is_synchronized(self) -> bool {
        !self.is_opening() && !self.is_over() && !matches!(self, S::Closed)
    }

    /// The states of both ends, as RFC 9293 names them and the kernel spells them, once each has received what was
    /// seen: (client, server).
    pub const fn ends(self) -> (&'static str, &'static str) {
        match self {
            Self::Closed => ("CLOSED", "LISTEN"),
            Self::SynSent => ("SYN_SENT", "LISTEN"),
            Self::SynRecv | Self::SynAckFirst => ("SYN_SENT", "SYN_RECV"),
            Self::SimultaneousSyn => ("SYN_SENT", "SYN_SENT"),
            Self::SimultaneousClientAcked | Self::SimultaneousServerAcked => ("SYN_RECV", "SYN_RECV"),
            Self::Established => ("ESTABLISHED", "ESTABLISHED"),
            Self::FinClient => ("FIN_WAIT1", "CLOSE_WAIT"),
            Self::FinClientAcked => ("FIN_WAIT2", "CLOSE_WAIT"),
            Self::FinServer => ("CLOSE_WAIT", "FIN_WAIT1"),
            Self::FinServerAcked => ("CLOSE_WAIT", "FIN_WAIT2"),
            Self::FinBoth => ("CLOSING", "CLOSING"),
            Self::FinBothClientAcked => ("TIME_WAIT", "LAST_ACK"),
            Self::FinBothServerAcked => ("LAST_ACK", "TIME_WAIT"),
            Self::TimeWait => ("CLOSED or TIME_WAIT", "CLOSED or TIME_WAIT"),
            Self::Reset => ("CLOSED", "CLOSED"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_has_a_reason_and_a_source() {
        for row in ROWS {
            assert!(
                row.why.ends_with('.') || row.why.ends_with("unreachable."),
                "{}",
                row.why
            );
            assert!(!row.source.is_empty());
            assert!(!row.states.is_empty());
        }
    }

    #[test]
    fn only_numbers_that_fit_establish() {
        for side in [Side::Client, Side::Server] {
            for class in [Class::AckWrong, Class::SynAckWrong, Class::RstBlind, Class::NoFlags] {
                for &state in State::ALL {
                    assert!(
                        !matches!(lookup(side, class, state).cell, Next(_)),
                        "{side:?} {class:?} {state:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_retransmission_is_never_invalid() {
        for &state in State::ALL {
            assert_ne!(
                lookup(Side::Client, Class::SynRepeated, state).cell,
                Invalid,
                "{state:?}"
            );
        }
    }
}
