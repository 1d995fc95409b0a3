import type { DurationRange } from '../scenario/duration.ts';

/** A duration for people: `1.5 s`, `20 ms`, `250 µs`. */
export function formatMs(milliseconds: number): string {
  const size = Math.abs(milliseconds);
  if (size !== 0 && size < 1) return `${Math.round(milliseconds * 1000)} µs`;
  if (size < 1000) return `${Number(milliseconds.toFixed(3))} ms`;
  return `${Number((milliseconds / 1000).toFixed(3))} s`;
}

export function formatRange({ minMs, maxMs }: DurationRange): string {
  return minMs === maxMs ? formatMs(minMs) : `${formatMs(minMs)} to ${formatMs(maxMs)}`;
}

/** A point of time for people, exact to the microsecond: `12.345 ms`, `30.001234 s`. */
export function formatTimeUs(timeUs: number): string {
  return Math.abs(timeUs) < 1_000_000
    ? `${Number((timeUs / 1000).toFixed(3))} ms`
    : `${Number((timeUs / 1_000_000).toFixed(6))} s`;
}
