/** Axes: the map from a value to a place, and the round values worth a label. */

export type Scale = (value: number) => number;

export function linear(domain: readonly [number, number], range: readonly [number, number]): Scale {
  const factor = domain[1] === domain[0] ? 0 : (range[1] - range[0]) / (domain[1] - domain[0]);
  return (value) => range[0] + (value - domain[0]) * factor;
}

/** Values at or below zero land on the lower end: a latency of 0 is «at most the smallest». */
export function logarithmic(domain: readonly [number, number], range: readonly [number, number]): Scale {
  const inner = linear([Math.log(domain[0]), Math.log(domain[1])], range);
  return (value) => inner(Math.log(Math.max(value, domain[0])));
}

/** 1, 10, 100 … inside the domain; with 2 and 5 between when there are few decades. */
export function logTicks(domain: readonly [number, number], most: number): number[] {
  for (const steps of [[1, 2, 5], [1, 3], [1]]) {
    const ticks = decades(domain, steps);
    if (ticks.length <= most) return ticks;
  }
  const ticks = decades(domain, [1]);
  const every = Math.ceil(ticks.length / most);
  return ticks.filter((_, i) => i % every === 0);
}

function decades([low, high]: readonly [number, number], steps: readonly number[]): number[] {
  const ticks: number[] = [];
  for (let exponent = Math.floor(Math.log10(low)); exponent <= Math.ceil(Math.log10(high)); exponent += 1) {
    for (const step of steps) {
      const value = Number(`${step}e${exponent}`);
      if (value >= low * 0.999 && value <= high * 1.001) ticks.push(value);
    }
  }
  return ticks;
}

/** Steps of a time axis that a clock has, in seconds. */
const CLOCK_STEPS = [
  1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5,
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400,
];

/** The smallest step of a clock that gives at most `most` ticks over `seconds`. */
export function clockStep(seconds: number, most: number): number {
  const wanted = seconds / Math.max(1, most);
  return CLOCK_STEPS.find((step) => step >= wanted) ?? Math.ceil(wanted / 86400) * 86400;
}
