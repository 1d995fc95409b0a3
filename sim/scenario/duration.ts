import { z } from 'zod';

const UNIT_IN_MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const DURATION = /^(-?\d+(?:\.\d+)?)\s*(us|ms|s|m|h)$/;
const RANGE = /^(\d+(?:\.\d+)?\s*(?:us|ms|s|m|h))\s*\.\.\s*(\d+(?:\.\d+)?\s*(?:us|ms|s|m|h))$/;

/** Far more than a run needs, and far less than what microseconds can count exactly. */
const LONGEST_MS = 1000 * 3_600_000;

const DURATION_EXAMPLES = 'must be a duration such as 250us, 20ms, 1.5s, 2m or 1h, or a number of milliseconds';
const RANGE_EXAMPLES =
  'must be a duration such as 20ms or 1.5s, a range such as 10ms..50ms, or a number of milliseconds';
const TOO_LONG = 'must be at most 1000h';

/** A stretch of time drawn evenly from `minMs` to `maxMs` each time it is needed. */
export interface DurationRange {
  readonly minMs: number;
  readonly maxMs: number;
}

/** Milliseconds of a number (already milliseconds) or of a text such as `250us`, `20ms`, `1.5s`, `2m`; NaN if it is neither. */
function parseDurationMs(text: string | number): number {
  if (typeof text === 'number') return text;
  const match = DURATION.exec(text.trim());
  if (match === null) return Number.NaN;
  // Whole microseconds, so that 0.1ms and 100us are the same number.
  return Math.round(Number(match[1]) * (UNIT_IN_MS[match[2] ?? ''] ?? Number.NaN) * 1000) / 1000;
}

const durationText = z
  .union(
    [
      z.number().describe('milliseconds'),
      z.string().regex(DURATION, DURATION_EXAMPLES).describe('a duration such as 250us, 20ms, 1.5s or 2m'),
    ],
    { error: DURATION_EXAMPLES },
  )
  .refine((value) => Math.abs(parseDurationMs(value)) <= LONGEST_MS, TOO_LONG);

/** A duration of zero or more, in a scenario file; milliseconds once parsed. */
export const duration = durationText
  .refine((value) => parseDurationMs(value) >= 0, 'must not be negative')
  .transform(parseDurationMs);

/** A duration that may be negative: a step of a clock. */
export const signedDuration = durationText.transform(parseDurationMs);

/** A duration of more than zero. */
export const positiveDuration = durationText
  .refine((value) => parseDurationMs(value) > 0, 'must be more than zero')
  .transform(parseDurationMs);

function isDurationOrRange(text: string): boolean {
  return DURATION.test(text) || RANGE.test(text);
}

/** A duration, or a range such as `10ms..50ms`. */
export const durationRange = z
  .union(
    [
      z.number().describe('milliseconds'),
      z
        .string()
        .refine(isDurationOrRange, RANGE_EXAMPLES)
        .describe('a duration such as 20ms, or a range such as 10ms..50ms'),
    ],
    { error: RANGE_EXAMPLES },
  )
  .transform((value): DurationRange => {
    const range = typeof value === 'string' ? RANGE.exec(value) : null;
    const minMs = parseDurationMs(range?.[1] ?? value);
    const maxMs = parseDurationMs(range?.[2] ?? value);
    return { minMs, maxMs };
  })
  .refine((range) => range.minMs >= 0, 'must not be negative')
  .refine((range) => range.minMs <= range.maxMs, 'must not end before it begins')
  .refine((range) => range.maxMs <= LONGEST_MS, TOO_LONG);
