/** What the names of the data mean, in sentences. Names themselves stay as they are in the data: people grep for them. */

import type { Measure } from "./data";
import { safe } from "./format";

export interface Word {
  title: string;
  meaning: string;
}

/** In the order in which they are drawn: success first, then from «answered no» to «no answer», then what could not be judged. */
export const OUTCOMES: Readonly<Record<string, Word>> = {
  established: { title: "established", meaning: "The client acknowledged the server’s SYN-ACK." },
  refused: { title: "refused", meaning: "A RST answered the SYN: nothing listens there, or a firewall rejects." },
  unreachable: { title: "unreachable", meaning: "An ICMP error answered the SYN." },
  unanswered: { title: "unanswered", meaning: "No reply to the SYN was seen: dropped on the way, filtered, or a full queue." },
  timeout: { title: "timeout", meaning: "The caller of connect() gave up." },
  half_open: { title: "half-open", meaning: "A SYN-ACK was sent; the ACK that completes the handshake was never seen." },
  reset_by_client: { title: "reset by client", meaning: "The client sent a RST after the SYN-ACK, before completion." },
  reset_by_server: { title: "reset by server", meaning: "The server sent a RST after its SYN-ACK, before completion." },
  partial: { title: "partial", meaning: "The capture starts inside the handshake, so it cannot be judged." },
};

/** The outcomes of a map in drawing order; unknown names last. */
export function inOrder(outcomes: Map<string, number>): [string, number][] {
  const order = Object.keys(OUTCOMES);
  const rank = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
  return [...outcomes].sort(([a], [b]) => rank(a) - rank(b));
}

export const outcomeTitle = (name: string): string => OUTCOMES[name]?.title ?? safe(name);

/** The class that gives an outcome its colour and its pattern. */
export const outcomeClass = (name: string): string => (name in OUTCOMES ? `o-${name}` : "o-other");

export const MEASURE_WORDS: Readonly<Record<Measure, Word>> = {
  syn_to_syn_ack: { title: "SYN → SYN-ACK", meaning: "the network beyond the capture point, and the server; with time lost to SYN retransmission" },
  syn_ack_to_ack: { title: "SYN-ACK → ACK", meaning: "the network on the client’s side of the capture point, and the client" },
  handshake: { title: "whole handshake", meaning: "first SYN to the ACK that completes it" },
  retransmit_wait: { title: "lost to retransmission", meaning: "first SYN to the SYN that was answered; 0 when that was the first" },
};

export const ANOMALIES: Readonly<Record<string, string>> = {
  syn_ack_wrong_ack: "A SYN-ACK acknowledged something other than the client’s initial sequence number + 1: an old duplicate, a proxy, or a forged packet.",
  ack_wrong_ack: "An ACK before completion acknowledged something other than the server’s initial sequence number + 1.",
  isn_changed: "The server answered with two different initial sequence numbers: SYN cookies switched on between, two servers behind one address, or a restart.",
  option_stripped: "Window scale, SACK or timestamps were offered and not answered, although this peer commonly answers them: often a middlebox.",
  syn_retransmitted: "The SYN was sent again, on Linux after 1 s and then at growing intervals: this is where slow connects come from.",
  syn_ack_retransmitted: "The SYN-ACK was sent again: it was lost, or its ACK was, or the accept queue was full.",
  port_reused: "The four-tuple had been used before in this capture.",
  ttl_jump: "The TTL of one side changed within the handshake: another path, or another machine that answers.",
  bad_checksum: "A segment of the handshake has a wrong TCP checksum.",
  reordered: "Packets were captured in another order than they were sent.",
  captured_twice: "Packets were captured twice (-i any, a mirror port, a router’s two interfaces); the copies were not counted.",
  one_direction_captured: "Only the client’s direction is in the capture, so that no times can be given.",
  syn_ack_not_captured: "The SYN-ACK is missing in the capture, though later packets prove that it was sent.",
  ack_not_captured: "The final ACK is missing in the capture, though later packets prove that it was sent.",
  syn_data_without_fast_open: "Data in a SYN that carries no Fast Open option.",
  fast_open_fallback: "Data in the SYN was not acknowledged and had to be sent again: Fast Open cost a transmission and saved nothing.",
  split_handshake: "The server answered the SYN with a SYN of its own, which the client acknowledged (four-way handshake).",
  ecn_fallback: "The retransmitted SYN had its ECN bits cleared: the first may have been dropped because of them.",
  syn_with_fin_or_rst: "A SYN with FIN or RST set: no stack sends this; a scanner or a broken device does.",
  blind_reset: "A RST whose sequence or acknowledgment number does not fit was not believed.",
  blind_syn: "A SYN inside the open connection was not believed.",
  options_damaged: "The options of a SYN or SYN-ACK could not be read to their end.",
  evicted: "The flow table was full; the attempt was judged by what had been seen until then.",
};

export const DEFECTS: Readonly<Record<string, string>> = {
  cut_off: "The file ends inside a record: it was cut off, or is still being written.",
  corrupt_record: "A record header claims what cannot be; reading went on at the next plausible record.",
  corrupt_block: "A pcapng block whose lengths contradict each other was skipped.",
  corrupt_compression: "The compressed stream is damaged; what came before the damage was read, and the members or frames of their own behind it.",
  read_error: "The operating system failed to read on; what came before was read.",
  unknown_interface: "A pcapng packet names an interface that the section never described.",
  unknown_link_type: "A link layer that halfopen does not read.",
  time_out_of_range: "A time stamp that does not fit 64 bits of nanoseconds.",
  link_truncated: "The captured bytes end inside the link-layer header.",
  ip_truncated: "The captured bytes end inside the IP header or its extension headers.",
  ip_malformed: "An IP header whose version or lengths contradict each other.",
  tcp_truncated: "The captured bytes end inside the TCP header.",
  tcp_malformed: "A TCP data offset below 5 words or beyond the segment.",
  options_truncated: "The captured bytes end inside the TCP options of a SYN.",
  options_malformed: "A TCP option with an impossible length; the options before it were kept.",
  icmp_truncated: "An ICMP error that quotes too little to name the segment it is about.",
  tunnel_too_deep: "More encapsulations inside one another than halfopen follows.",
  fragment: "An IP fragment that is not the first: it carries no TCP header.",
  bad_ip_checksum: "The IPv4 header checksum is wrong.",
  bad_tcp_checksum: "The TCP checksum is wrong.",
};

export const TIME_WAIT: Readonly<Record<string, Word>> = {
  client: { title: "the client", meaning: "The client closed first. Its port stays taken for 60 s on Linux: this is what uses up ephemeral ports." },
  server: { title: "the server", meaning: "The server closed first. It keeps a small record for 60 s on Linux; no port is used up." },
  both: { title: "both sides", meaning: "Both sent their FIN before they saw the other’s (simultaneous close)." },
};
