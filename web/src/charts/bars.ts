/** Small bars inside tables: outcomes side by side, a range on a log scale, where the time of one handshake went. */

import type { Handshake, Quantiles } from "../data";
import { h, s } from "../dom";
import { count, duration, share } from "../format";
import { logarithmic } from "../scale";
import { inOrder, outcomeClass, outcomeTitle } from "../words";

/** One bar that is `part` of `whole` long, in an outcome's pattern. */
export function outcomeBar(name: string, part: number, whole: number): HTMLElement {
  const bar = h("span", { class: `fill ${outcomeClass(name)}` });
  bar.style.width = `${whole > 0 ? Math.max(0.3, (100 * part) / whole) : 0}%`;
  return h("span", { class: "track", "aria-hidden": true }, bar);
}

/** All outcomes of one endpoint side by side; the words are in its label and title. */
export function outcomeStrip(outcomes: Map<string, number>): HTMLElement {
  const whole = [...outcomes.values()].reduce((a, b) => a + b, 0);
  const label = inOrder(outcomes).map(([name, n]) => `${outcomeTitle(name)} ${count(n)} (${share(n, whole)})`).join(", ");
  const strip = h("span", { class: "strip-bar", role: "img", "aria-label": label, title: label });
  for (const [name, n] of inOrder(outcomes)) {
    const part = h("span", { class: outcomeClass(name) });
    part.style.flexGrow = String(n);
    strip.append(part);
  }
  return strip;
}

const RANGE = { width: 96, height: 14 };

/** p50 ●──┤ p99 on a logarithmic scale that all rows of the table share. */
export function rangePlot(q: Quantiles, domain: readonly [number, number]): SVGSVGElement | string {
  if (q.p50 === null || q.p99 === null) return "";
  const x = logarithmic(domain, [4, RANGE.width - 4]);
  const y = RANGE.height / 2;
  const [from, to] = [x(q.p50), x(q.p99)];
  return s(
    "svg",
    { class: "range", viewBox: `0 0 ${RANGE.width} ${RANGE.height}`, role: "img", "aria-label": `p50 ${duration(q.p50)}, p99 ${duration(q.p99)}` },
    s("line", { class: "range-line", x1: from, x2: to, y1: y, y2: y }),
    s("line", { class: "range-end", x1: to, x2: to, y1: y - 4, y2: y + 4 }),
    s("circle", { class: "range-dot", cx: from, cy: y, r: 3 }),
  );
}

/** One handshake from its first SYN to its ACK: waiting for a retransmission, for the SYN-ACK, for the ACK. */
export function timeBar(record: Handshake, longest_us: number): HTMLElement | string {
  const end = record.handshake_us ?? record.syn_to_syn_ack_us;
  if (end === null || longest_us <= 0) return "";
  const lost = Math.min(record.retransmit_wait_us ?? 0, end);
  const answered = Math.min(record.syn_to_syn_ack_us ?? end, end);
  const label = `${duration(lost)} lost to retransmission, ${duration(answered - lost)} SYN to SYN-ACK, ${duration(end - answered)} SYN-ACK to ACK`;
  const bar = h("span", { class: "time-bar", role: "img", "aria-label": label, title: label });
  for (const [length, name] of [[lost, "lost"], [answered - lost, "there"], [end - answered, "back"]] as const) {
    if (length <= 0) continue;
    const part = h("span", { class: name });
    part.style.width = `${(100 * length) / longest_us}%`;
    bar.append(part);
  }
  return bar;
}
