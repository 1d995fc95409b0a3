import { assert, constantFrom, double, integer, oneof, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from './errors.ts';
import { exponentialRetry, fixedRetry, mayRetry, retryDelayMs } from './retry.ts';

const count = integer({ min: 0, max: 1000 });
const delay = double({ min: 0, max: 1e6, noNaN: true });
const fraction = double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

/** The longest delay after so many failures, as nearly as a draw comes to it. */
function longestDelay(policy: ReturnType<typeof exponentialRetry>, failures: number): number {
  return Math.round(policy.delayMs(failures, 1 - Number.EPSILON));
}

describe('retries', () => {
  it('come as often as their count, and for ever with -1 or Infinity', () => {
    assert(
      property(count, count, (retries, failures) => {
        expect(mayRetry(fixedRetry({ count: retries }), failures)).toBe(failures <= retries);
        expect(mayRetry(fixedRetry({ count: -1 }), failures)).toBe(true);
        expect(mayRetry(exponentialRetry({ count: Number.POSITIVE_INFINITY }), failures)).toBe(true);
      }),
    );
    expect(mayRetry(fixedRetry({ count: 0 }), 1)).toBe(false);
  });

  it('refuse a policy that gives no delay', () => {
    for (const senseless of [Number.NaN, -1, Number.POSITIVE_INFINITY, undefined, '5']) {
      const policy = { count: 1, delayMs: () => senseless as number };
      expect(() => retryDelayMs(policy, 3, 0)).toThrow(InvalidOptionError);
      expect(() => retryDelayMs(policy, 3, 0)).toThrow(`not ${String(senseless)} (after 3 failures)`);
    }
  });
});

describe('a fixed delay', () => {
  it('is followed by a jitter, however often it came', () => {
    assert(
      property(delay, delay, fraction, count, (each, jitter, drawn, failures) => {
        const delayMs = retryDelayMs(fixedRetry({ delay: each, jitter }), failures, drawn);
        expect(delayMs).toBeGreaterThanOrEqual(each);
        expect(delayMs).toBeLessThanOrEqual(each + jitter);
        expect(delayMs).toBe(each + drawn * jitter);
      }),
    );
  });

  it('is 200 ms and up to 100 more, three times, unless told otherwise', () => {
    expect(fixedRetry().count).toBe(3);
    expect(fixedRetry().delayMs(1, 0.5)).toBe(250);
  });

  it.each([
    ['count', { count: 1.5 }],
    ['count', { count: -2 }],
    ['delay', { delay: -1 }],
    ['jitter', { jitter: Number.NaN }],
  ])('refuses a senseless %s', (name, options) => {
    expect(() => fixedRetry(options)).toThrow(new RegExp(`^${name} must be .*, not `));
  });
});

describe('an exponential delay', () => {
  it('may be anything up to a bound that grows until it meets its cap', () => {
    const policy = exponentialRetry({ base: 10, factor: 3, cap: 200 });
    expect([1, 2, 3, 4, 5, 5000].map((failures) => longestDelay(policy, failures))).toEqual([
      10, 30, 90, 200, 200, 200,
    ]);
    expect([1, 5].map((failures) => policy.delayMs(failures, 0))).toEqual([0, 0]);
    expect(policy.delayMs(3, 0.25)).toBe(22.5);
  });

  it('never leaves its bounds', () => {
    const failures = oneof(integer({ min: 1, max: 20 }), constantFrom(1000, 1e9));
    assert(
      property(failures, fraction, double({ min: 1, max: 10, noNaN: true }), (failed, drawn, factor) => {
        const delayMs = retryDelayMs(exponentialRetry({ base: 5, factor, cap: 700 }), failed, drawn);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThanOrEqual(Math.min(700, 5 * factor ** (failed - 1)));
      }),
    );
  });

  it('doubles from 50 ms to 2 s, ten times, unless told otherwise', () => {
    const policy = exponentialRetry();
    expect(policy.count).toBe(10);
    expect([1, 2, 3, 10].map((failures) => longestDelay(policy, failures))).toEqual([50, 100, 200, 2000]);
  });

  it.each([
    ['count', { count: Number.NaN }],
    ['base', { base: 0 }],
    ['factor', { factor: 0.5 }],
    ['cap', { cap: Number.POSITIVE_INFINITY }],
  ])('refuses a senseless %s', (name, options) => {
    expect(() => exponentialRetry(options)).toThrow(new RegExp(`^${name} must be .*, not `));
  });
});
