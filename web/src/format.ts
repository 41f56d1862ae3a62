/**
 * Numbers, durations and times as a person reads them: at most three significant digits, always a unit. The same rules
 * as `halfopen/model/quantity.py`, so that a number reads the same in the terminal and on this page.
 */

/** Between thousands, and before a unit: a space at which no line breaks. */
const SPACE = "\u00a0";
export const UNKNOWN = "—";

/** 1204 → «1 204». */
export function count(n: number): string {
  return Math.round(n).toString().replace(/\B(?=(\d{3})+$)/g, SPACE);
}

/** A sentence in which no number is broken between its thousands. */
export const unbroken = (sentence: string): string => sentence.replace(/(?<=\d) (?=\d{3}(?!\d))/g, SPACE);

/** «1 handshake», «1 204 handshakes». */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${Math.round(n) === 1 ? one : many}`;
}

/** A share of a whole. Only nothing is «0 %» and only everything is «100 %». */
export function share(part: number, whole: number): string {
  if (whole <= 0) return UNKNOWN;
  const percent = (100 * part) / whole;
  if (percent > 0 && percent < 0.05) return `<0.1${SPACE}%`;
  if (part < whole && percent >= 99.95) return `>99.9${SPACE}%`;
  return `${Number(percent.toFixed(1))}${SPACE}%`;
}

/** Three significant digits without trailing zeros. */
const threeDigits = (value: number): string => String(Number(value.toPrecision(3)));

/** Microseconds → «840 µs», «12.3 ms», «1.02 s», «3 min 5 s», «2 h 4 min». */
export function duration(us: number | null): string {
  if (us === null) return UNKNOWN;
  if (us < 0) return `-${duration(-us)}`;
  if (us > 0 && us < 0.05) return `<0.1${SPACE}µs`;
  if (us < 999.5) return `${us < 1 ? Number(us.toFixed(1)) : threeDigits(us)}${SPACE}µs`;
  if (us < 999_500) return `${threeDigits(us / 1e3)}${SPACE}ms`;
  if (us < 59.95e6) return `${threeDigits(us / 1e6)}${SPACE}s`;
  const seconds = Math.round(us / 1e6);
  if (seconds < 3600) return pair(Math.floor(seconds / 60), "min", seconds % 60, "s");
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return pair(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(minutes / 60);
  return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

const pair = (a: number, unitA: string, b: number, unitB: string): string => (b === 0 ? `${a}${SPACE}${unitA}` : `${a}${SPACE}${unitA} ${b}${SPACE}${unitB}`);

/** Microseconds in the one unit and precision that suits `longest_us`, so that a column of them can be read down. */
export function stamp(us: number, longest_us: number): string {
  return longest_us >= 1e6 ? `${(us / 1e6).toFixed(6)}${SPACE}s` : `${(us / 1e3).toFixed(3)}${SPACE}ms`;
}

/** Bytes in decimal units: «2.15 GB». */
export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  while (n >= 999.5 && unit < units.length - 1) {
    n /= 1000;
    unit += 1;
  }
  return `${threeDigits(n)}${SPACE}${units[unit]}`;
}

const NS_PER_MS = 1_000_000n;

/** The UTC date of an epoch time in nanoseconds: «2026-11-23»; null when no calendar holds it. */
export function date(ns: bigint): string | null {
  return iso(ns)?.slice(0, 10) ?? null;
}

/** The UTC time of day with `digits` (0 to 9) of the second's fraction. */
export function clock(ns: bigint, digits = 6): string {
  const text = iso(ns);
  if (text === null) return `${ns}${SPACE}ns`;
  const fraction = (((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n).toString().padStart(9, "0");
  return digits === 0 ? text.slice(11, 19) : `${text.slice(11, 19)}.${fraction.slice(0, digits)}`;
}

function iso(ns: bigint): string | null {
  // Floor, not truncation: a time before 1970 belongs to the second below.
  const ms = ns / NS_PER_MS - (ns % NS_PER_MS < 0n ? 1n : 0n);
  const when = new Date(Number(ms));
  return Number.isNaN(when.getTime()) || when.getUTCFullYear() > 9999 || when.getUTCFullYear() < 0 ? null : when.toISOString();
}

/** An address and a port; IPv6 in brackets. */
export function endpoint(address: string, port: number | null): string {
  const host = address.includes(":") ? `[${address}]` : address;
  return port === null ? host : `${host}:${port}`;
}

/**
 * Text that came from a capture or a file name, made harmless to the reader's eye: controls and the characters that
 * reorder a line are shown as escapes. (It never becomes markup: everything goes through text nodes.)
 */
export function safe(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
