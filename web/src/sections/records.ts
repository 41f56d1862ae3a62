/** Single handshakes: the slowest and the failed, with the frames where Wireshark finds them. */

import { timeBar } from "../charts/bars";
import type { Stretch } from "../charts/timeline";
import type { Handshake, Ladder, Report } from "../data";
import { h } from "../dom";
import { clock, count, date, duration, endpoint, plural, safe, UNKNOWN } from "../format";
import { table, type Column, type Table } from "../table";
import { outcomeClass, outcomeTitle } from "../words";
import { nothing, section } from "./section";

type Kind = "completed" | "failed";

export interface Records {
  elements: HTMLElement[];
  /** Follows the selection in the timeline. */
  follow(stretch: Stretch | null): void;
}

export function records(report: Report): Records {
  const ladders = new Map(report.ladders.map((ladder, i) => [ladderKey(ladder), i]));
  const slowest = handshakes(report, report.slowest, ladders, slowColumns, "completed");
  const failed = handshakes(report, report.failed, ladders, failedColumns, "failed");
  return {
    elements: [
      section(
        "slowest",
        "Slowest",
        ["The bar is one handshake from its first SYN: time lost to retransmission (hatched), SYN to SYN-ACK (solid), SYN-ACK to ACK (outlined).", frameNote(), ladderNote()],
        slowest?.element ?? nothing("No handshake completed."),
      ),
      section("failed", "Failed", failed ? ["Spread over endpoints and outcomes, so that a flood of equal rows does not hide the one that differs."] : [], failed?.element ?? nothing("No handshake failed.")),
    ],
    follow(stretch) {
      const passes = stretch && ((r: Handshake) => r.start_ns !== null && r.start_ns >= stretch.from_ns && r.start_ns < stretch.to_ns);
      for (const each of [slowest, failed]) each?.restrict(passes, "the stretch selected in the timeline");
    },
  };
}

function frameNote(): HTMLElement {
  return h("span", {}, "Frames are numbered from 1: in Wireshark, ", h("code", {}, "frame.number == N"), ".");
}

function ladderNote(): HTMLElement {
  return h("span", {}, "A number that is a link has its ladder below; of any other, ", h("code", {}, "halfopen trace FILE --ladder N"), " draws it.");
}

function handshakes(
  report: Report,
  rows: Handshake[],
  ladders: Map<string, number>,
  columnsOf: (rows: Handshake[]) => Column<Handshake>[],
  what: Kind,
): Table<Handshake> | null {
  if (rows.length === 0) return null;
  const day = report.first_ns === null ? null : date(report.first_ns);
  const columns: Column<Handshake>[] = [
    { title: "No.", numeric: true, key: (r) => r.number, cell: (r) => number(r, ladders.get(recordKey(r))) },
    { title: "Time, UTC", key: (r) => r.start_ns, cell: (r) => started(r, day) },
    { title: "Client → server", className: "pair", key: (r) => endpoint(r.server, r.server_port), cell: tuple },
    ...columnsOf(rows),
    { title: "Noted", className: "noted", cell: (r) => safe(r.anomalies.map((a) => a.replaceAll("_", " ")).join(", ")) },
    { title: "Frames", className: "frames", key: (r) => r.frames[0] ?? null, cell: (r) => frames(r, report.inputs.length > 1) },
  ];
  return table({ caption: caption(rows.length, report, what), columns, rows, page: 15 });
}

function caption(listed: number, report: Report, what: Kind): string {
  const established = report.outcomes.get("established") ?? 0;
  const all = what === "failed" ? report.handshakes - established - (report.outcomes.get("partial") ?? 0) : established;
  const many = plural(Math.max(all, listed), `${what} handshake`);
  return all <= listed ? many : what === "failed" ? `${count(listed)} of ${many}` : `The ${count(listed)} slowest of ${many}`;
}

/** With a link to its ladder, where there is one. */
function number(r: Handshake, ladder: number | undefined): Node | string {
  const text = r.number === null ? "ladder" : String(r.number);
  return ladder === undefined ? (r.number === null ? UNKNOWN : text) : h("a", { href: `#ladder-${ladder}`, class: "to-ladder" }, text);
}

function started(r: Handshake, day: string | null): string {
  if (r.start_ns === null) return UNKNOWN;
  const own = date(r.start_ns);
  return `${own === day || own === null ? "" : `${own} `}${clock(r.start_ns)}`;
}

const tuple = (r: Handshake): HTMLElement =>
  h("span", { class: "tuple" }, h("code", {}, safe(endpoint(r.client, r.client_port))), h("code", {}, `→ ${safe(endpoint(r.server, r.server_port))}`));

function frames(r: Handshake, many: boolean): HTMLElement {
  const file = many && r.source ? `${safe(r.source.split("/").at(-1) ?? r.source)}: ` : "";
  return h("span", {}, file, r.frames.join(", ") || UNKNOWN);
}

function slowColumns(rows: Handshake[]): Column<Handshake>[] {
  const longest = Math.max(0, ...rows.map((r) => r.handshake_us ?? 0));
  return [
    { title: "Whole", numeric: true, key: (r) => r.handshake_us, cell: (r) => duration(r.handshake_us) },
    { title: "Where it went", className: "wide", cell: (r) => timeBar(r, longest) },
    { title: "Lost", numeric: true, key: (r) => r.retransmit_wait_us, cell: (r) => (r.retransmit_wait_us ? duration(r.retransmit_wait_us) : "0") },
    { title: "SYNs", numeric: true, key: (r) => r.syn_sent, cell: (r) => (r.syn_sent === null ? UNKNOWN : count(r.syn_sent)) },
  ];
}

function failedColumns(): Column<Handshake>[] {
  return [
    { title: "Outcome", key: (r) => r.outcome, cell: (r) => h("span", {}, h("span", { class: `swatch ${outcomeClass(r.outcome)}`, "aria-hidden": true }), safe(outcomeTitle(r.outcome))) },
    { title: "SYNs", numeric: true, key: (r) => r.syn_sent, cell: (r) => (r.syn_sent === null ? UNKNOWN : count(r.syn_sent)) },
    { title: "SYN-ACKs", numeric: true, key: (r) => r.syn_ack_sent, cell: (r) => (r.syn_ack_sent === null ? UNKNOWN : count(r.syn_ack_sent)) },
    { title: "SYN → SYN-ACK", numeric: true, key: (r) => r.syn_to_syn_ack_us, cell: (r) => duration(r.syn_to_syn_ack_us) },
  ];
}

/** A ladder belongs to the record whose first packet is its first row. */
const ladderKey = (ladder: Ladder): string => `${ladder.rows[0]?.time_ns}|${ladder.rows[0]?.frame}`;
const recordKey = (r: Handshake): string => `${r.start_ns}|${r.frames[0]}`;
