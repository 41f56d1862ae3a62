/**
 * The timeline: SYNs, completed and failed handshakes over time, one strip each with its own scale, one shared time axis.
 * Dragging over it (or Shift with the arrow keys) selects a stretch; the tables of single handshakes follow.
 */

import type { Timeline } from "../data";
import { h, s, responsive, surface, textWidth } from "../dom";
import { clock, count, date, duration, plural } from "../format";
import { clockStep, linear } from "../scale";

const STRIPS = [
  { key: "attempts", title: "attempts (first SYNs)" },
  { key: "established", title: "completed" },
  { key: "failed", title: "failed" },
] as const;
type Key = (typeof STRIPS)[number]["key"] | "retransmitted";

const STRIP_HEIGHT = 58;
const STRIP_GAP = 33;
const LEFT = 42;
/** Bars below which a timeline says nothing. */
const BARS_MIN = 20;

/** A selected stretch of time: from inclusive, to exclusive. */
export interface Stretch {
  from_ns: bigint;
  to_ns: bigint;
}

/** The counts of a timeline, added up so that no more than `most` bars are drawn. */
export interface Binned {
  /** Seconds in one bar. */
  step_s: number;
  /** How many of the timeline's own steps make one bar. */
  factor: number;
  columns: Record<Key, number[]>;
  slowest_us: (number | null)[];
}

export function rebin(timeline: Timeline, most: number): Binned {
  const factor = niceFactor(Math.ceil(timeline.attempts.length / Math.max(1, most)));
  const bars = Math.max(1, Math.ceil(timeline.attempts.length / factor));
  const add = (values: number[]): number[] => {
    const sums = new Array<number>(bars).fill(0);
    values.slice(0, bars * factor).forEach((n, i) => (sums[Math.floor(i / factor)]! += n));
    return sums;
  };
  const slowest_us = Array.from({ length: bars }, (_, i) => greatest(timeline.slowest_us.slice(i * factor, (i + 1) * factor)));
  const { attempts, established, failed, retransmitted } = timeline;
  return {
    step_s: Number((timeline.step_s * factor).toPrecision(9)),
    factor,
    columns: { attempts: add(attempts), established: add(established), failed: add(failed), retransmitted: add(retransmitted) },
    slowest_us,
  };
}

const greatest = (values: (number | null)[]): number | null =>
  values.reduce((most, v) => (v !== null && (most === null || v > most) ? v : most), null);

function niceFactor(atLeast: number): number {
  return [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600].find((n) => n >= atLeast) ?? Math.ceil(atLeast / 3600) * 3600;
}

export function timelineFigure(timeline: Timeline, onSelect: (stretch: Stretch | null) => void): HTMLElement {
  const holder = h("div", { class: "chart" });
  const readout = h("output", { class: "readout", "aria-live": "polite" });
  const hint = "Move over the figure to read values; drag to select a stretch (keys: arrows, Shift and arrows, Escape).";
  const say = (text: string | null): void => void (readout.textContent = text ?? hint);
  say(null);
  responsive(holder, (width) => {
    onSelect(null);
    holder.replaceChildren(draw(timeline, width, say, onSelect));
  });
  return h("figure", { class: "timeline" }, holder, h("figcaption", {}, readout));
}

const ns = (seconds: number): bigint => BigInt(Math.round(seconds * 1e9));

const stepText = (seconds: number): string => (seconds === 1 ? "per second" : `in ${duration(seconds * 1e6)}`);

/** A whole second and more, once the capture is long enough for it; shorter steps only as far as they hold some attempts. */
function mostBars(timeline: Timeline, room: number): number {
  const attempts = timeline.attempts.reduce((a, b) => a + b, 0);
  const seconds = timeline.attempts.length * timeline.step_s;
  return Math.min(room, Math.max(BARS_MIN, seconds >= BARS_MIN ? seconds : attempts / 4));
}

function draw(timeline: Timeline, width: number, say: (text: string | null) => void, onSelect: (stretch: Stretch | null) => void): SVGSVGElement {
  const right = width - 18;
  const binned = rebin(timeline, Math.floor(mostBars(timeline, (right - LEFT) / 2)));
  const bars = binned.columns.attempts.length;
  const x = linear([0, bars], [LEFT, right]);
  const bottom = STRIPS.length * (STRIP_HEIGHT + STRIP_GAP);
  const svg = surface(width, bottom + 40, `Timeline, ${stepText(binned.step_s)}: ${totals(binned)}.`, "timeline-svg");
  svg.setAttribute("tabindex", "0");
  timeAxis(svg, timeline, bars * binned.step_s, x(0), x(bars), bottom);
  STRIPS.forEach((strip, i) => drawStrip(svg, strip, binned, x, right, STRIP_GAP + i * (STRIP_HEIGHT + STRIP_GAP)));
  pointer({ svg, timeline, binned, bars, x, bottom, say, onSelect });
  return svg;
}

function totals(binned: Binned, from = 0, to = Infinity): string {
  const sum = (key: Key): number => binned.columns[key].slice(from, to).reduce((a, b) => a + b, 0);
  const again = sum("retransmitted");
  const slowest = greatest(binned.slowest_us.slice(from, to));
  return [
    plural(sum("attempts"), "attempt") + (again > 0 ? ` (${count(again)} with a retransmitted SYN)` : ""),
    `${count(sum("established"))} completed`,
    `${count(sum("failed"))} failed`,
    slowest === null ? "" : `slowest ${duration(slowest)}`,
  ]
    .filter(Boolean)
    .join(", ");
}

function drawStrip(svg: SVGSVGElement, strip: (typeof STRIPS)[number], binned: Binned, x: (v: number) => number, right: number, top: number): void {
  const values = binned.columns[strip.key];
  const most = Math.max(...values);
  const base = top + STRIP_HEIGHT;
  const y = linear([0, Math.max(1, most)], [base, top]);
  const group = s("g", { class: `strip ${strip.key}`, "data-key": strip.key });
  const drawn = (series: number[]): string =>
    series.map((n, i) => (n > 0 ? bar(x(i), x(i + 1), Math.min(y(n), base - 1), base) : "")).join("");
  group.append(
    s("text", { class: "panel-title", x: 0, y: top - 10 }, strip.title),
    s("path", { class: "bars", d: drawn(values), "data-bars": values.filter((n) => n > 0).length, "data-total": values.reduce((a, b) => a + b, 0) }),
    s("line", { class: "axis", x1: LEFT, x2: right, y1: base, y2: base }),
    s("text", { class: "tick", x: LEFT - 6, y: base + 3, "text-anchor": "end" }, "0"),
    s("text", { class: "tick", x: right, y: top - 10, "text-anchor": "end" }, most === 0 ? "none" : `at most ${count(most)} ${stepText(binned.step_s)}`),
  );
  if (strip.key === "attempts" && binned.columns.retransmitted.some((n) => n > 0)) {
    group.insertBefore(s("path", { class: "bars again", d: drawn(binned.columns.retransmitted) }), group.querySelector(".axis"));
    group.querySelector(".panel-title")?.append(s("tspan", { class: "tick" }, right > 460 ? "  darker: with a retransmitted SYN" : "  dark: re-sent"));
  }
  svg.append(group);
}

/** One bar as a closed path; a hair of paper between bars that are wide enough. */
function bar(x1: number, x2: number, top: number, base: number): string {
  const gap = x2 - x1 > 4 ? 1 : 0;
  return `M${x1.toFixed(2)} ${base}V${top.toFixed(2)}H${(x2 - gap).toFixed(2)}V${base}Z`;
}

function timeAxis(svg: SVGSVGElement, timeline: Timeline, seconds: number, left: number, right: number, bottom: number): void {
  const step = clockStep(seconds, Math.floor((right - left) / (seconds < 0.01 ? 112 : 84)));
  const digits = step >= 1 ? 0 : Math.min(6, Math.ceil(-Math.log10(step) - 1e-9));
  const start = Number(timeline.start_ns % 86_400_000_000_000n) / 1e9;
  const x = linear([start, start + seconds], [left, right]);
  for (let t = Math.ceil(start / step - 1e-9) * step; t <= start + seconds + 1e-9; t += step) {
    const at = x(t);
    if (at > right + 0.5) break;
    svg.append(
      s("line", { class: "grid", x1: at, x2: at, y1: STRIP_GAP - 6, y2: bottom }),
      label(at, right + 18, bottom + 16, clock(timeline.start_ns + ns(t - start), digits)),
    );
  }
  svg.append(s("text", { class: "tick", x: 0, y: bottom + 34 }, `UTC, ${date(timeline.start_ns) ?? "no calendar date"}`));
}

/** A tick label centred on its tick, unless the edge of the drawing is in the way. */
function label(at: number, edge: number, y: number, text: string): SVGTextElement {
  const half = textWidth(text, 11.5) / 2;
  return s("text", { class: "tick", x: Math.max(half, Math.min(at, edge - half)), y, "text-anchor": "middle" }, text);
}

interface Pointer {
  svg: SVGSVGElement;
  timeline: Timeline;
  binned: Binned;
  bars: number;
  x: (v: number) => number;
  bottom: number;
  say: (text: string | null) => void;
  onSelect: (stretch: Stretch | null) => void;
}

function pointer(p: Pointer): void {
  const band = s("rect", { class: "brush", y: STRIP_GAP - 6, height: p.bottom - STRIP_GAP + 6, visibility: "hidden" });
  p.svg.prepend(band);
  let anchor: number | null = null; // where a drag or a Shift selection began
  let at: number | null = null;
  let selected = false;

  const show = (from: number, to: number, brushed: boolean): void => {
    band.setAttribute("visibility", "visible");
    band.setAttribute("x", String(p.x(from)));
    band.setAttribute("width", String(Math.max(1, p.x(to) - p.x(from))));
    band.classList.toggle("chosen", brushed);
    const begin = p.timeline.start_ns + ns(from * p.binned.step_s);
    const end = p.timeline.start_ns + ns(to * p.binned.step_s);
    const digits = p.binned.step_s < 1 ? 6 : 0;
    p.say(`${clock(begin, digits)}–${clock(end, digits)} UTC: ${totals(p.binned, from, to)}${brushed ? ". The tables of single handshakes show this stretch; Escape clears" : ""}`);
    if (brushed) p.onSelect({ from_ns: begin, to_ns: end });
  };
  const clear = (): void => {
    band.setAttribute("visibility", "hidden");
    [anchor, at, selected] = [null, null, false];
    p.say(null);
    p.onSelect(null);
  };
  const range = (a: number, b: number): [number, number] => [Math.min(a, b), Math.max(a, b) + 1];
  const index = (event: PointerEvent): number => {
    const box = p.svg.getBoundingClientRect();
    const place = ((event.clientX - box.left) / box.width) * p.svg.viewBox.baseVal.width;
    return clamp(Math.floor(((place - p.x(0)) / (p.x(p.bars) - p.x(0))) * p.bars), p.bars);
  };

  p.svg.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch") return; // a finger scrolls the page
    clear();
    anchor = index(event);
    p.svg.setPointerCapture(event.pointerId);
  });
  p.svg.addEventListener("pointermove", (event) => {
    const i = index(event);
    if (anchor !== null && event.buttons & 1) {
      if (i !== anchor || selected) {
        selected = true;
        show(...range(anchor, i), true);
      }
    } else if (!selected) show(i, i + 1, false);
  });
  p.svg.addEventListener("pointerup", () => (anchor = null));
  p.svg.addEventListener("pointerleave", () => {
    if (!selected && anchor === null) {
      band.setAttribute("visibility", "hidden");
      p.say(null);
    }
  });
  p.svg.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return clear();
    const step = { ArrowRight: 1, ArrowLeft: -1, PageUp: 10, PageDown: -10, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const before = at ?? (step > 0 ? -1 : p.bars);
    at = clamp(before + step, p.bars);
    if (event.shiftKey) {
      anchor ??= clamp(before, p.bars);
      selected = true;
      show(...range(anchor, at), true);
    } else {
      if (selected) p.onSelect(null);
      [anchor, selected] = [null, false];
      show(at, at + 1, false);
    }
  });
}

const clamp = (i: number, length: number): number => Math.max(0, Math.min(length - 1, i));
