/** What was read, when, how long; and the verdict first, because that is what the reader came for. */

import type { Notice, Report } from "../data";
import { h } from "../dom";
import { bytes, clock, count, date, duration, plural, safe, share, unbroken } from "../format";
import { themeButton } from "../theme";

export function masthead(report: Report): HTMLElement {
  return h(
    "header",
    { class: "masthead" },
    h("div", { class: "topline" }, h("span", { class: "brand" }, "halfopen trace"), h("span", { class: "tools" }, printButton(), themeButton())),
    h("h1", {}, title(report)),
    h("p", { class: "when" }, when(report)),
    h("p", { class: "read" }, whatWasRead(report)),
    verdict(report),
  );
}

export function title(report: Report): string {
  const names = report.inputs.map((input) => safe(input.path === "-" ? "standard input" : (input.path.split("/").at(-1) ?? input.path)));
  if (names.length === 0) return "A capture";
  return names.length <= 2 ? names.join(" and ") : `${names[0]} and ${plural(names.length - 1, "more file")}`;
}

function printButton(): HTMLButtonElement {
  const button = h("button", { type: "button" }, "Print");
  button.addEventListener("click", () => print());
  return button;
}

function when({ first_ns, last_ns }: Report): string {
  if (first_ns === null || last_ns === null) return "No attempt to open a connection was seen.";
  const us = Number(last_ns - first_ns) / 1e3;
  const [day, lastDay] = [date(first_ns) ?? "", date(last_ns) ?? ""];
  if (us === 0) return `${day} ${clock(first_ns)} UTC`;
  const digits = us < 1e7 ? 6 : 0;
  return `${day} ${clock(first_ns, digits)} to ${day === lastDay ? "" : `${lastDay} `}${clock(last_ns, digits)} UTC: ${duration(us)} from the first attempt to the last`;
}

function whatWasRead(report: Report): string {
  const size = report.inputs.reduce<number | null>((sum, input) => (input.bytes === null ? sum : (sum ?? 0) + input.bytes), null);
  const from = report.inputs.length > 1 ? ` from ${plural(report.inputs.length, "file")}` : "";
  const parts = [`${plural(report.handshakes, "handshake")}`];
  if (report.tcp_segments !== null) parts.push(`in ${plural(report.tcp_segments, "TCP segment")}`);
  if (report.packets !== null) parts.push(`of ${plural(report.packets, "packet")}${size === null ? "" : ` (${bytes(size)})`}${from}`);
  const established = report.outcomes.get("established") ?? 0;
  const judged = report.handshakes - (report.outcomes.get("partial") ?? 0);
  const done = judged > 0 ? ` ${count(established)} completed (${share(established, judged)}).` : "";
  return `${parts.join(" ")}.${done}`;
}

function verdict(report: Report): HTMLElement {
  const first = report.verdict ?? (report.notices.length > 0 ? null : quiet(report));
  return h(
    "div",
    { class: "verdict" },
    first && h("p", { class: "first" }, unbroken(safe(first))),
    report.notices.length > 0 && h("ul", {}, ...report.notices.map(item)),
    report.filter && h("p", { class: "vantage" }, "Only handshakes with ", h("code", {}, safe(report.filter)), " are counted."),
    report.vantage && h("p", { class: "vantage" }, unbroken(safe(report.vantage))),
  );
}

const item = (notice: Notice): HTMLElement =>
  h("li", { class: notice.severity }, ...prose(notice.text), notice.hint && h("p", { class: "hint" }, ...prose(notice.hint)));

/** Text with its commands, which stand between backquotes, as code. */
const prose = (text: string): (string | HTMLElement)[] =>
  text.split("`").map((part, i) => (i % 2 === 1 ? h("code", {}, safe(part)) : unbroken(safe(part))));

function quiet(report: Report): string {
  if (report.handshakes === 0) return "The capture holds no TCP handshake.";
  return "Nothing stands out: no endpoint fails or waits in a way that has a name.";
}
