/** The report's data, `halfopen.summary/1` with records and ladders beside it, as typed values. The only file that knows its names. */

import { counts, flag, list, nanoseconds, number, object, text, texts, type Json } from "./read";

/** How many values lie from `lower_us` (inclusive) to `upper_us`. */
export interface Bin {
  lower_us: number;
  upper_us: number;
  count: number;
}

export interface Quantiles {
  count: number | null;
  p50: number | null;
  p90: number | null;
  p99: number | null;
  max: number | null;
}

export interface Distribution extends Quantiles {
  /** Values below the first bin: below 1 µs, a wait of 0 too. */
  below: number;
  /** In order, with the empty ones between. */
  bins: Bin[];
  /** Values above the last bin: above 1000 s. */
  above: number;
}

export const MEASURES = ["syn_to_syn_ack", "syn_ack_to_ack", "handshake", "retransmit_wait"] as const;
export type Measure = (typeof MEASURES)[number];

/** Attempts whose SYN waited about `seconds` before the one that was answered. */
export interface Wait {
  seconds: number;
  count: number;
}

/** What the capture shows, as a sentence, with what to make of it. */
export interface Notice {
  severity: "trouble" | "caveat" | "fact";
  text: string;
  hint: string | null;
}

export interface Input {
  path: string;
  packets: number | null;
  bytes: number | null;
  defects: Map<string, number>;
}

export interface Endpoint {
  server: string;
  port: number | null;
  handshakes: number;
  outcomes: Map<string, number>;
  /** Attempts that neither completed nor are partial. */
  failed: number;
  syn_to_syn_ack: Quantiles;
  handshake: Quantiles;
  /** Attempts with more than one SYN. */
  retransmitted: number | null;
}

/** A server address that answered nobody. */
export interface SilentHost {
  server: string;
  ports: number | null;
  port: number | null;
  handshakes: number;
  syn_sent: number | null;
  clients: number | null;
  clients_exact: boolean;
}

export interface Timeline {
  start_ns: bigint;
  step_s: number;
  /** Begun in the step, as `established` and `failed` count their ends. */
  attempts: number[];
  established: number[];
  failed: number[];
  /** Of `attempts`, with more than one SYN. */
  retransmitted: number[];
  slowest_us: (number | null)[];
}

export interface Handshake {
  /** Order of its first packet in the capture: what --ladder takes. */
  number: number | null;
  source: string | null;
  start_ns: bigint | null;
  client: string;
  client_port: number | null;
  server: string;
  server_port: number | null;
  outcome: string;
  syn_sent: number | null;
  syn_ack_sent: number | null;
  syn_to_syn_ack_us: number | null;
  syn_ack_to_ack_us: number | null;
  handshake_us: number | null;
  retransmit_wait_us: number | null;
  anomalies: string[];
  frames: number[];
}

export interface LadderRow {
  time_ns: bigint | null;
  frame: number | null;
  from_client: boolean;
  flags: string;
  seq: number | null;
  ack: number | null;
  seq_rel: number | null;
  ack_rel: number | null;
  window: number | null;
  payload_len: number | null;
  options: string | null;
  client_state: string | null;
  server_state: string | null;
  /** `next`, `ignore`, `invalid` or `copy`. */
  verdict: string | null;
  note: string | null;
  /** Not a packet, but as many of them left out here. */
  left_out: number | null;
  /** Bytes of data in those, where known. */
  left_out_bytes: number | null;
}

export interface Ladder {
  title: string;
  client: string;
  server: string;
  rows: LadderRow[];
  rows_left_out: number;
}

export interface Report {
  version: string | null;
  generated: string | null;
  inputs: Input[];
  packets: number | null;
  tcp_segments: number | null;
  midstream: number | null;
  evicted: number | null;
  handshakes: number;
  first_ns: bigint | null;
  last_ns: bigint | null;
  outcomes: Map<string, number>;
  latency: Record<Measure, Distribution>;
  answered: number | null;
  waits: Wait[];
  waited: number | null;
  endpoints: Endpoint[];
  endpoints_total: number;
  anomalies: Map<string, number>;
  time_wait: Map<string, number>;
  silent_hosts: SilentHost[];
  silent_hosts_total: number;
  timeline: Timeline | null;
  /** What --where, --since and --until left in. */
  filter: string | null;
  /** The first sentence, where nothing is wrong. */
  verdict: string | null;
  notices: Notice[];
  vantage: string | null;
  slowest: Handshake[];
  failed: Handshake[];
  ladders: Ladder[];
}

function quantiles(value: unknown): Quantiles {
  const v = object(value);
  return { count: number(v["count"]), p50: number(v["p50"]), p90: number(v["p90"]), p99: number(v["p99"]), max: number(v["max"]) };
}

function distribution(latency: Json, histogram: Json, measure: Measure): Distribution {
  const edges = list(histogram["edges_us"]).map(number);
  const bins: Bin[] = [];
  list(histogram[measure]).forEach((value, i) => {
    const [lower, upper] = [edges[i], edges[i + 1]];
    if (lower != null && upper != null && upper > lower) bins.push({ lower_us: lower, upper_us: upper, count: number(value) ?? 0 });
  });
  const outside = (side: string): number => number(object(histogram[side])[measure]) ?? 0;
  return { ...quantiles(latency[measure]), bins, below: outside("below"), above: outside("above") };
}

function latency(v: Json): Record<Measure, Distribution> {
  const [values, histogram] = [object(v["latency_us"]), object(v["histogram"])];
  return Object.fromEntries(MEASURES.map((m) => [m, distribution(values, histogram, m)])) as Record<Measure, Distribution>;
}

function wait(value: unknown): Wait {
  return { seconds: number(object(value)["seconds"]) ?? 0, count: number(object(value)["count"]) ?? 0 };
}

/** Sentences may come alone. */
function notice(value: unknown): Notice {
  const v = object(value);
  const severity = text(v["severity"]);
  return {
    severity: severity === "caveat" || severity === "fact" ? severity : "trouble",
    text: text(value) ?? text(v["text"]) ?? "",
    hint: text(v["hint"]),
  };
}

function input(value: unknown): Input {
  const v = object(value);
  return { path: text(v["path"]) ?? "(unnamed)", packets: number(v["packets"]), bytes: number(v["bytes"]), defects: counts(v["defects"]) };
}

function endpoint(value: unknown): Endpoint {
  const v = object(value);
  return {
    server: text(v["server"]) ?? "?",
    port: number(v["server_port"]),
    handshakes: number(v["handshakes"]) ?? 0,
    outcomes: counts(v["outcomes"]),
    failed: number(v["failed"]) ?? failures(counts(v["outcomes"])),
    syn_to_syn_ack: quantiles(object(v["latency_us"])["syn_to_syn_ack"]),
    handshake: quantiles(object(v["latency_us"])["handshake"]),
    retransmitted: number(object(v["retransmission"])["syn_handshakes"]),
  };
}

function silentHost(value: unknown): SilentHost {
  const v = object(value);
  return {
    server: text(v["server"]) ?? "?",
    ports: number(v["ports"]),
    port: number(v["server_port"]),
    handshakes: number(v["handshakes"]) ?? 0,
    syn_sent: number(v["syn_sent"]),
    clients: number(v["clients"]),
    clients_exact: v["clients_exact"] !== false,
  };
}

function timeline(value: unknown): Timeline | null {
  const v = object(value);
  const start = nanoseconds(v["start_ns"]);
  const column = (name: string): number[] => list(v[name]).map((x) => number(x) ?? 0);
  const step = number(v["width_s"]) ?? 1;
  const attempts = column("attempts");
  if (start === null || step <= 0 || attempts.length === 0) return null;
  return {
    start_ns: start,
    step_s: step,
    attempts,
    established: column("established"),
    failed: column("failed"),
    retransmitted: column("retransmitted"),
    slowest_us: list(v["handshake_max_us"]).map(number),
  };
}

function handshake(value: unknown): Handshake {
  const v = object(value);
  return {
    number: number(v["number"]),
    source: text(v["source"]),
    start_ns: nanoseconds(v["start_ns"]),
    client: text(v["client"]) ?? "?",
    client_port: number(v["client_port"]),
    server: text(v["server"]) ?? "?",
    server_port: number(v["server_port"]),
    outcome: text(v["outcome"]) ?? "?",
    syn_sent: number(v["syn_sent"]),
    syn_ack_sent: number(v["syn_ack_sent"]),
    syn_to_syn_ack_us: number(v["syn_to_syn_ack_us"]),
    syn_ack_to_ack_us: number(v["syn_ack_to_ack_us"]),
    handshake_us: number(v["handshake_us"]),
    retransmit_wait_us: number(v["retransmit_wait_us"]),
    anomalies: texts(v["anomalies"]),
    frames: [v["frame_syn"], v["frame_syn_ack"], v["frame_ack"]].map(number).filter((x): x is number => x !== null),
  };
}

const joined = (v: unknown): string | null => (Array.isArray(v) ? texts(v).join(" ") || null : text(v));

function ladderRow(value: unknown): LadderRow {
  const v = object(value);
  return {
    time_ns: nanoseconds(v["time_ns"]),
    frame: number(v["frame"]),
    from_client: flag(v["from_client"]),
    flags: joined(v["flags"]) ?? "",
    seq: number(v["seq"]),
    ack: number(v["ack"]),
    seq_rel: number(v["seq_rel"]),
    ack_rel: number(v["ack_rel"]),
    window: number(v["window"]),
    payload_len: number(v["payload_len"]),
    options: joined(v["options"]),
    client_state: text(v["client_state"]),
    server_state: text(v["server_state"]),
    verdict: text(v["verdict"]),
    note: text(v["note"]),
    left_out: number(v["left_out"]),
    left_out_bytes: number(v["left_out_bytes"]),
  };
}

function ladder(value: unknown): Ladder {
  const v = object(value);
  return {
    title: text(v["title"]) ?? "Exchange",
    client: text(v["client"]) ?? "client",
    server: text(v["server"]) ?? "server",
    rows: list(v["rows"]).map(ladderRow),
    rows_left_out: number(v["rows_left_out"]) ?? 0,
  };
}

const NOT_FAILED = new Set(["established", "partial"]);

/** Whether an outcome counts as a failed attempt. `partial` does not: its beginning was not captured. */
export const isFailure = (outcome: string): boolean => !NOT_FAILED.has(outcome);

/** How many of the outcomes are failures. */
export function failures(outcomes: Map<string, number>): number {
  return [...outcomes].reduce((sum, [name, n]) => sum + (isFailure(name) ? n : 0), 0);
}

/** `records` may be one list, {`slowest`, `failed`}, or absent with the two beside it. */
function split(v: Json): [Handshake[], Handshake[]] {
  if (!Array.isArray(v["records"])) {
    const holder = { ...v, ...object(v["records"]) };
    return [list(holder["slowest"]).map(handshake), list(holder["failed"]).map(handshake)];
  }
  const all = v["records"].map(handshake);
  return [all.filter((r) => !isFailure(r.outcome)), all.filter((r) => isFailure(r.outcome))];
}

/** Everything the page shows. Missing fields are null or empty, whatever the object is. */
export function report(value: unknown): Report {
  const v: Json = object(value);
  const endpoints = list(v["endpoints"]).map(endpoint);
  const [slowest, failed] = split(v);
  return {
    version: text(v["version"]),
    generated: text(v["generated_at"]),
    inputs: list(v["inputs"]).map(input),
    packets: number(v["packets"]),
    tcp_segments: number(v["tcp_segments"]),
    midstream: number(v["midstream"]),
    evicted: number(v["evicted"]),
    handshakes: number(v["handshakes"]) ?? 0,
    first_ns: nanoseconds(v["first_ns"]),
    last_ns: nanoseconds(v["last_ns"]),
    outcomes: counts(v["outcomes"]),
    latency: latency(v),
    answered: number(object(v["retransmission"])["answered"]),
    waits: list(object(v["retransmission"])["waits"]).map(wait).filter((w) => w.count > 0),
    waited: number(object(v["retransmission"])["waited"]),
    endpoints,
    endpoints_total: number(v["endpoints_total"]) ?? endpoints.length,
    anomalies: counts(v["anomalies"]),
    time_wait: counts(v["time_wait"]),
    silent_hosts: list(v["silent_hosts"]).map(silentHost),
    silent_hosts_total: number(v["silent_hosts_total"]) ?? list(v["silent_hosts"]).length,
    timeline: timeline(v["timeline"]),
    filter: text(v["filter"]),
    verdict: text(v["verdict"]),
    notices: list(v["notices"]).map(notice).filter((n) => n.text !== ""),
    vantage: text(v["vantage_sentence"]) ?? text(v["vantage"]) ?? text(object(v["vantage"])["sentence"]),
    slowest,
    failed,
    ladders: list(v["ladders"]).map(ladder),
  };
}
