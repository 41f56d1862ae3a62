/** The report: reads the data that Python put into the page and lays out the sections, the verdict first. */

import "./styles/base.css";
import "./styles/tables.css";
import "./styles/charts.css";
import "./styles/print.css";

import { report as parse } from "./data";
import { h } from "./dom";
import { safe } from "./format";
import { ladders, openLaddersForPrint } from "./sections/ladders";
import { endpoints } from "./sections/endpoints";
import { latency } from "./sections/latency";
import { masthead, title } from "./sections/masthead";
import { outcomes } from "./sections/outcomes";
import { records } from "./sections/records";
import { anomalies, capture, timeline, timeWait } from "./sections/rest";

const data = parse(JSON.parse(document.getElementById("report-data")?.textContent ?? "null"));
const single = records(data);
// A capture without handshakes has nothing to say but what it was.
const sections = data.handshakes === 0 ? [capture(data)] : [
  outcomes(data),
  latency(data),
  timeline(data, (stretch) => single.follow(stretch)),
  endpoints(data),
  ...single.elements,
  ladders(data),
  anomalies(data),
  timeWait(data),
  capture(data),
];
const contents = h(
  "nav",
  { "aria-label": "Sections" },
  ...sections.map((section) => h("a", { href: `#${section.id}` }, section.querySelector("h2")?.textContent ?? "")),
);

document.title = `${title(data)} · halfopen trace`;
document.getElementById("app")?.append(
  masthead(data),
  contents,
  h("main", { id: "content" }, ...sections),
  h(
    "footer",
    {},
    h(
      "p",
      {},
      [`Made by halfopen${data.version ? ` ${safe(data.version)}` : ""}${data.generated ? `, ${safe(data.generated)}` : ""}.`, "This page is one file: it loads nothing and sends nothing."].join(" "),
    ),
  ),
);
openLaddersForPrint();
