/**
 * The latency figure: a histogram for each part of the handshake and the cumulative curves below, all on ONE logarithmic
 * axis, so that the eye compares the parts by running up and down. A shared cursor reads every panel at once.
 */

import type { Bin, Distribution, Measure } from "../data";
import { h, s, responsive, surface, textWidth } from "../dom";
import { count, duration, plural, share } from "../format";
import { logTicks, logarithmic, linear, type Scale } from "../scale";
import { MEASURE_WORDS } from "../words";

export const PANELS: readonly Measure[] = ["syn_to_syn_ack", "syn_ack_to_ack", "handshake"];
type Latency = Record<Measure, Distribution>;
const QUANTILES = ["p50", "p90", "p99"] as const;
const PANEL_HEIGHT = 84;
const CURVE_HEIGHT = 150;
const MARK_TIER = 14;

/** A logarithmic axis has no zero: the place of everything below. */
const SMALLEST_US = 0.1;

export function latencyFigure(latency: Latency): HTMLElement | null {
  const panels = PANELS.filter((measure) => total(latency[measure]) > 0 && latency[measure].bins.length > 0);
  if (panels.length === 0) return null;
  const domain = extent(panels.map((m) => latency[m]));
  const holder = h("div", { class: "chart" });
  const readout = h("output", { class: "readout", "aria-live": "polite" });
  const hint = "Move over the figure, or focus it and use the arrow keys, to read values.";
  readout.textContent = hint;
  responsive(holder, (width) => holder.replaceChildren(draw(latency, panels, domain, width, (t) => (readout.textContent = t ?? hint))));
  return h("figure", { class: "latency" }, holder, h("figcaption", {}, readout));
}

function extent(distributions: Distribution[]): [number, number] {
  const bins = distributions.flatMap((d) => d.bins).filter((b) => b.count > 0);
  if (bins.length === 0) return [1, 1e6];
  const low = bins.reduce((least, b) => Math.min(least, Math.max(b.lower_us, SMALLEST_US)), Infinity);
  const high = bins.reduce((most, b) => Math.max(most, b.upper_us), SMALLEST_US);
  // At least a decade, else one bin would fill the page.
  return high / low >= 10 ? [low, high] : [low / 3, high * 3];
}

interface Frame {
  svg: SVGSVGElement;
  x: Scale;
  left: number;
  right: number;
  bottom: number;
}

function draw(
  latency: Latency,
  panels: readonly Measure[],
  domain: [number, number],
  width: number,
  say: (text: string | null) => void,
): SVGSVGElement {
  const left = 42;
  const right = width - 18;
  const x = logarithmic(domain, [left, right]);
  const marks = panels.map((m) => placeMarks(latency[m], x, right));
  const heights = marks.map((placed) => 24 + (1 + Math.max(...placed.map((p) => p.tier), 0)) * MARK_TIER + PANEL_HEIGHT + 10);
  const curveTop = heights.reduce((a, b) => a + b, 0) + 44;
  const bottom = curveTop + CURVE_HEIGHT;
  const svg = surface(width, bottom + 24, summary(latency, panels), "latency-svg");
  svg.setAttribute("tabindex", "0");
  const frame: Frame = { svg, x, left, right, bottom };
  axis(frame, domain);
  let top = 0;
  panels.forEach((measure, i) => {
    panel(frame, measure, latency[measure], top, heights[i]!, marks[i]!);
    top += heights[i]!;
  });
  curves(frame, latency, panels, curveTop);
  cursor(frame, latency, panels, say);
  return svg;
}

function summary(latency: Latency, panels: readonly Measure[]): string {
  const parts = panels.map((m) => {
    const d = latency[m];
    return `${MEASURE_WORDS[m].title}: p50 ${duration(d.p50)}, p90 ${duration(d.p90)}, p99 ${duration(d.p99)}`;
  });
  return `Histograms and cumulative curves on a logarithmic time axis. ${parts.join("; ")}.`;
}

function axis({ svg, x, left, right, bottom }: Frame, domain: [number, number]): void {
  for (const value of logTicks(domain, Math.max(3, Math.floor((right - left) / 74)))) {
    const at = x(value);
    svg.append(
      s("line", { class: "grid", x1: at, x2: at, y1: 24, y2: bottom }),
      s("text", { class: "tick", x: at, y: bottom + 17, "text-anchor": "middle" }, duration(value)),
    );
  }
  svg.append(s("line", { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom }));
}

interface Mark {
  name: string;
  text: string;
  at: number;
  label: number;
  anchor: "start" | "end";
  tier: number;
}

/** Labels of p50, p90 and p99 on as few lines as they need without touching one another. */
function placeMarks(d: Distribution, x: Scale, right: number): Mark[] {
  const ends: number[] = [];
  const marks: Mark[] = [];
  for (const name of QUANTILES) {
    const value = d[name];
    if (value === null) continue;
    const text = `${name} ${duration(value)}`;
    const width = textWidth(text, 11.5) + 12;
    const at = x(value);
    const anchor = at + width > right ? "end" : "start";
    const from = anchor === "end" ? at - width : at;
    let tier = ends.findIndex((end) => end <= from);
    if (tier < 0) tier = ends.length;
    ends[tier] = from + width;
    marks.push({ name, text, at, label: anchor === "end" ? at - 4 : at + 4, anchor, tier });
  }
  return marks;
}

function panel({ svg, x, left, right }: Frame, measure: Measure, d: Distribution, top: number, height: number, marks: Mark[]): void {
  const base = top + height - 10;
  const tallest = Math.max(1, ...d.bins.map((b) => b.count));
  const y = linear([0, tallest], [base, base - PANEL_HEIGHT]);
  const words = MEASURE_WORDS[measure];
  const group = s("g", { class: "panel", "data-measure": measure });
  group.append(s("text", { class: "panel-title", x: 0, y: top + 15 }, words.title));
  for (const bin of d.bins) {
    if (bin.count === 0) continue;
    const [x1, x2] = binEdges(bin, x);
    const y1 = y(bin.count);
    group.append(s("rect", { class: "bin", x: x1, y: y1, width: Math.max(1, x2 - x1 - 0.6), height: Math.max(1, base - y1), "data-count": bin.count }));
  }
  group.append(
    s("line", { class: "axis", x1: left, x2: right, y1: base, y2: base }),
    s("text", { class: "tick", x: left - 6, y: y(tallest) + 4, "text-anchor": "end" }, compact(tallest)),
    s("text", { class: "tick", x: left - 6, y: base + 3, "text-anchor": "end" }, "0"),
  );
  const labelY = (mark: Mark): number => top + 24 + (mark.tier + 1) * MARK_TIER - 4;
  // Lines first: a label may lie over the line of another.
  group.append(
    ...marks.map((mark) => s("line", { class: `mark ${mark.name}`, x1: mark.at, x2: mark.at, y1: labelY(mark) - 9, y2: base })),
    ...marks.map((mark) => s("text", { class: "mark-label", x: mark.label, y: labelY(mark), "text-anchor": mark.anchor }, mark.text)),
  );
  svg.append(group);
}

const compact = (n: number): string => (n < 10_000 ? count(n) : n < 999_500 ? `${+(n / 1e3).toPrecision(2)} k` : `${+(n / 1e6).toPrecision(2)} M`);

const binEdges = (bin: Bin, x: Scale): [number, number] => [x(Math.max(bin.lower_us, SMALLEST_US)), x(Math.max(bin.upper_us, SMALLEST_US))];

/** Upper edge and the count at or below it, per bin. */
function cumulative(d: Distribution): { upper: number; below: number }[] {
  let below = d.below;
  return d.bins.map((bin) => ({ upper: bin.upper_us, below: (below += bin.count) }));
}

const total = (d: Distribution): number => d.below + d.above + d.bins.reduce((sum, b) => sum + b.count, 0);

function curves(frame: Frame, latency: Latency, panels: readonly Measure[], top: number): void {
  const { svg, x, left, right, bottom } = frame;
  const y = linear([0, 1], [bottom, top]);
  for (const [portion, label] of [[0, "0 %"], [0.5, "50 %"], [0.9, "90 %"], [1, "100 %"]] as const) {
    const at = y(portion);
    svg.append(
      s("line", { class: "grid", x1: left, x2: right, y1: at, y2: at }),
      s("text", { class: "tick", x: left - 6, y: at + 4, "text-anchor": "end" }, label),
    );
  }
  panels.forEach((measure, i) => {
    const d = latency[measure];
    const whole = total(d);
    let previous = d.below;
    let path = `M${left} ${y(previous / whole).toFixed(1)}`;
    d.bins.forEach((bin) => {
      const [x1, x2] = binEdges(bin, x);
      path += `L${x1.toFixed(1)} ${y(previous / whole).toFixed(1)}L${x2.toFixed(1)} ${y((previous += bin.count) / whole).toFixed(1)}`;
    });
    svg.append(s("path", { class: `curve c${i}`, d: `${path}L${right} ${y((whole - d.above) / whole).toFixed(1)}`, "data-measure": measure }));
  });
  legend(frame, panels, top);
}

/** The title, and names beside a sample of each line: on its own line or, where that is short, on one below it. */
function legend({ svg, right }: Frame, panels: readonly Measure[], top: number): void {
  const names = panels.map((measure) => (measure === "handshake" ? "whole" : MEASURE_WORDS[measure].title));
  const widths = names.map((name) => 21 + textWidth(name, 11.5) + 10);
  const start = textWidth("at or below", 15, "serif") + 26;
  const fits = start + widths.reduce((a, b) => a + b, 0) <= right + 18;
  svg.append(s("text", { class: "panel-title", x: 0, y: top - (fits ? 20 : 30) }, "at or below"));
  let [at, y] = fits ? [start, top - 20] : [0, top - 12];
  names.forEach((name, i) => {
    svg.append(
      s("line", { class: `curve c${i}`, x1: at, x2: at + 16, y1: y - 4, y2: y - 4 }),
      s("text", { class: "tick", x: at + 21, y }, name),
    );
    at += widths[i]!;
  });
}

function cursor(frame: Frame, latency: Latency, panels: readonly Measure[], say: (text: string | null) => void): void {
  const { svg, x, left, right, bottom } = frame;
  const line = s("line", { class: "cursor", y1: 20, y2: bottom, visibility: "hidden" });
  svg.append(line);
  // Stops for the arrow keys: every bin edge of any panel, in order.
  const stops = [...new Set(panels.flatMap((m) => latency[m].bins.filter((b) => b.count > 0).map((b) => b.upper_us)))].sort((a, b) => a - b);
  const sums = new Map(panels.map((m) => [m, cumulative(latency[m])]));
  let at: number | null = null;
  const show = (index: number | null): void => {
    at = index;
    const value = index === null ? undefined : stops[index];
    line.setAttribute("visibility", value === undefined ? "hidden" : "visible");
    if (value === undefined) return say(null);
    line.setAttribute("x1", String(x(value)));
    line.setAttribute("x2", String(x(value)));
    say(`At or below ${duration(value)}: ${panels.map((m) => reading(m, latency[m], sums.get(m) ?? [], value)).join("; ")}`);
  };
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const place = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    show(place < left - 4 || place > right + 4 ? null : nearest(stops, place, x));
  });
  svg.addEventListener("pointerleave", () => show(null));
  svg.addEventListener("blur", () => show(null));
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, PageUp: 5, PageDown: -5, Home: -Infinity, End: Infinity }[event.key];
    if (event.key === "Escape") return show(null);
    if (step === undefined) return;
    event.preventDefault();
    show(Math.max(0, Math.min(stops.length - 1, (at ?? (step > 0 ? -1 : stops.length)) + step)));
  });
}

function nearest(stops: number[], place: number, x: Scale): number {
  let best = 0;
  stops.forEach((stop, i) => {
    if (Math.abs(x(stop) - place) < Math.abs(x(stops[best]!) - place)) best = i;
  });
  return best;
}

function reading(measure: Measure, d: Distribution, sums: { upper: number; below: number }[], value: number): string {
  const below = sums.findLast((row) => row.upper <= value)?.below ?? 0;
  const bin = d.bins.find((b) => b.count > 0 && b.lower_us < value && value <= b.upper_us);
  const inBin = bin ? `, ${plural(bin.count, "handshake")} in ${duration(bin.lower_us)}–${duration(bin.upper_us)}` : "";
  return `${MEASURE_WORDS[measure].title} ${share(below, total(d))}${inBin}`;
}
