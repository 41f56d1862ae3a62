/** One exchange as a sequence diagram: two life lines, an arrow for each packet, the states of both ends beside it. */

import type { Ladder, LadderRow } from "../data";
import { s, shorten, surface, wrap } from "../dom";
import { bytes, count, duration, plural, safe, stamp } from "../format";

/** Below this many pixels the times and states move from the margins to above the arrows. */
const NARROW = 620;
/** A silence this long is drawn as a break in the life lines. */
const SILENCE_US = 150_000;
const BREAK_HEIGHT = 34;
const SLOPE = 9;
const LINE = 14;

interface Layout {
  width: number;
  narrow: boolean;
  client: number;
  server: number;
}

function layout(width: number): Layout {
  if (width < NARROW) return { width, narrow: true, client: 10, server: width - 10 };
  return { width, narrow: false, client: 208, server: width - 122 };
}

export function ladderDrawing(ladder: Ladder, width: number): SVGSVGElement {
  const at = layout(width);
  const parts: SVGElement[] = [];
  const silences: [number, number][] = [];
  let y = 44;
  let before: LadderRow | null = null;
  for (const row of ladder.rows) {
    if (row.left_out !== null) {
      silences.push([y, y + BREAK_HEIGHT]);
      parts.push(s("text", { class: "silence", x: middle(at), y: y + BREAK_HEIGHT / 2 + 4, "text-anchor": "middle" }, leftOut(row)));
      y += BREAK_HEIGHT;
      before = null;
      continue;
    }
    const pause = elapsed(before, row);
    if (pause !== null && pause >= SILENCE_US) {
      silences.push([y, y + BREAK_HEIGHT]);
      parts.push(s("text", { class: "silence", x: middle(at), y: y + BREAK_HEIGHT / 2 + 4, "text-anchor": "middle" }, `${duration(pause)} of silence`));
      y += BREAK_HEIGHT;
    }
    const drawn = drawRow(row, before, { since: since(ladder, row), at, top: y });
    parts.push(...drawn.parts);
    y += drawn.height;
    before = row;
  }
  const svg = surface(width, y + 12, `Sequence diagram: ${safe(ladder.title)}, ${plural(ladder.rows.filter((row) => row.left_out === null).length, "packet")}. The same as a table follows.`, "ladder-svg");
  svg.append(...ends(ladder, at), ...lifeLine(at.client, y + 6, silences), ...lifeLine(at.server, y + 6, silences), ...parts);
  return svg;
}

const leftOut = (row: LadderRow): string =>
  `${plural(row.left_out ?? 0, "packet")} left out${row.left_out_bytes ? `, with ${bytes(row.left_out_bytes)} of data` : ""}`;

const middle = (at: Layout): number => (at.client + at.server) / 2;

function elapsed(from: LadderRow | null, to: LadderRow): number | null {
  return from?.time_ns == null || to.time_ns === null ? null : Number(to.time_ns - from.time_ns) / 1e3;
}

function ends(ladder: Ladder, at: Layout): SVGElement[] {
  const label = (x: number, anchor: string, role: string, name: string): SVGElement =>
    s("text", { class: "end", x, y: 14, "text-anchor": anchor }, s("tspan", { class: "role" }, role), s("tspan", { x, dy: 15 }, shorten(safe(name), at.narrow ? (at.width - 24) / 2 : 240, 12.5, "mono")));
  return at.narrow
    ? [label(at.client - 10, "start", "client", ladder.client), label(at.server + 10, "end", "server", ladder.server)]
    : [label(at.client, "middle", "client", ladder.client), label(at.server, "middle", "server", ladder.server)];
}

/** Solid, and dotted where nothing happened for long. */
function lifeLine(x: number, bottom: number, silences: [number, number][]): SVGElement[] {
  const lines: SVGElement[] = [];
  let from = 36;
  for (const [start, end] of silences) {
    lines.push(s("line", { class: "life", x1: x, x2: x, y1: from, y2: start }), s("line", { class: "life pause", x1: x, x2: x, y1: start, y2: end }));
    from = end;
  }
  return [...lines, s("line", { class: "life", x1: x, x2: x, y1: from, y2: bottom })];
}

interface Place {
  since: string;
  at: Layout;
  top: number;
}

function drawRow(row: LadderRow, before: LadderRow | null, place: Place): { parts: SVGElement[]; height: number } {
  const { at, top } = place;
  const [from, to] = row.from_client ? [at.client, at.server] : [at.server, at.client];
  const center = middle(at);
  const room = at.server - at.client - 24;
  const headline = wrap(heading(row), room, 12.5, 600);
  const small = [...wrap(details(row), room, 11.5), ...wrap(safe(row.note ?? ""), room, 11.5)];
  const y = top + (at.narrow ? LINE + 2 : 4) + headline.length * LINE + 2;
  const parts: SVGElement[] = headline.map((line, i) => s("text", { class: "flags", x: center, y: y - 6 - (headline.length - 1 - i) * LINE, "text-anchor": "middle" }, line));
  parts.push(...arrow(from, to, y, row));
  small.forEach((line, i) => parts.push(s("text", { class: "detail", x: center, y: y + SLOPE + 13 + i * LINE, "text-anchor": "middle" }, line)));
  parts.push(...(at.narrow ? narrowMargin : wideMargin)(row, before, place, at.narrow ? top + 10 : y + 4));
  return { parts, height: y - top + SLOPE + 13 + small.length * LINE + 4 };
}

function arrow(from: number, to: number, y: number, row: LadderRow): SVGElement[] {
  const direction = Math.sign(to - from);
  const tip = to - direction * 1.5;
  const end = y + SLOPE;
  const kind = row.verdict === "copy" ? " copy" : row.verdict === "invalid" || /RST|ICMP/i.test(row.flags) ? " rst" : "";
  return [
    s("line", { class: `arrow${kind}`, x1: from, x2: tip - direction * 6, y1: y, y2: end - 0.3 }),
    s("path", { class: `head${kind}`, d: `M${tip} ${end}l${-direction * 9} -4.5v9z` }),
  ];
}

function wideMargin(row: LadderRow, before: LadderRow | null, { since, at }: Place, y: number): SVGElement[] {
  const [departs, arrives] = row.from_client ? [y, y + SLOPE] : [y + SLOPE, y];
  return [
    s("text", { class: "time", x: 0, y }, since),
    s("text", { class: "detail", x: 0, y: y + LINE }, row.frame === null ? "" : `frame ${row.frame}`),
    s("text", { class: stateClass(row.client_state, before?.client_state), x: at.client - 10, y: departs, "text-anchor": "end" }, state(row.client_state)),
    s("text", { class: stateClass(row.server_state, before?.server_state), x: at.server + 10, y: arrives, "text-anchor": "start" }, state(row.server_state)),
  ];
}

function narrowMargin(row: LadderRow, before: LadderRow | null, { since, at }: Place, y: number): SVGElement[] {
  return [
    s("text", { class: stateClass(row.client_state, before?.client_state), x: at.client + 7, y, "text-anchor": "start" }, state(row.client_state)),
    s("text", { class: "time", x: middle(at), y, "text-anchor": "middle" }, since),
    s("text", { class: stateClass(row.server_state, before?.server_state), x: at.server - 7, y, "text-anchor": "end" }, state(row.server_state)),
  ];
}

const state = (name: string | null): string => shorten(safe(name ?? ""), 106, 11.5, "mono");
const stateClass = (now: string | null, before: string | null | undefined): string => (now === before ? "state same" : "state");

/** Time since the first packet, all rows of a ladder in one unit. */
export function since(ladder: Ladder, row: LadderRow): string {
  const first = ladder.rows[0] ?? null;
  const us = elapsed(first, row);
  const longest = ladder.rows.reduce((most, each) => Math.max(most, elapsed(first, each) ?? 0), 0);
  return us === null ? "" : stamp(us, longest);
}

function heading(row: LadderRow): string {
  const parts = [safe(row.flags)];
  if (row.seq_rel !== null) parts.push(`seq ${count(row.seq_rel)}`);
  if (row.ack_rel !== null) parts.push(`ack ${count(row.ack_rel)}`);
  if (row.payload_len) parts.push(`${plural(row.payload_len, "byte")} of data`);
  return parts.filter(Boolean).join(" \u2002");
}

/** Absolute numbers without separators: they are there to be searched for. */
function details(row: LadderRow): string {
  const parts: string[] = [];
  if (row.seq !== null) parts.push(`seq ${row.seq}`);
  if (row.ack !== null) parts.push(`ack ${row.ack}`);
  if (row.window !== null) parts.push(`win ${row.window}`);
  if (row.options !== null) parts.push(safe(row.options));
  return parts.join(" · ");
}
