/** Reading values of unknown JSON: what is missing or of another type is null, never a guess. */

export type Json = Record<string, unknown>;

export const object = (v: unknown): Json => (typeof v === "object" && v !== null && !Array.isArray(v) ? (v as Json) : {});
export const list = (v: unknown): unknown[] => (Array.isArray(v) ? v : []);
export const text = (v: unknown): string | null => (typeof v === "string" && v !== "" ? v : null);
export const flag = (v: unknown): boolean => v === true;

/** A finite number. Integers beyond 2⁵³ arrive as strings of digits, see `render/html.py`. */
export function number(v: unknown): number | null {
  const value = typeof v === "string" && /^-?\d+$/.test(v) ? Number(v) : v;
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** Nanoseconds since the epoch, exactly. */
export function nanoseconds(v: unknown): bigint | null {
  if (typeof v === "string" && /^-?\d+$/.test(v)) return BigInt(v);
  return typeof v === "number" && Number.isFinite(v) ? BigInt(Math.round(v)) : null;
}

/** {name: n} with the zeros and the nonsense left out. */
export function counts(v: unknown): Map<string, number> {
  const result = new Map<string, number>();
  for (const [name, value] of Object.entries(object(v))) {
    const n = number(value);
    if (n !== null && n > 0) result.set(name, n);
  }
  return result;
}

export const texts = (v: unknown): string[] => list(v).filter((x): x is string => typeof x === "string");
