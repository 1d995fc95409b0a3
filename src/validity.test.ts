import { assert, double, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeTimeoutMs } from './node-timeout.ts';
import { driftAllowanceMs, validUntilMs } from './validity.ts';

const ttl = integer({ min: 3, max: 1e9 });
const driftFactor = double({ min: 0, max: 0.99, noNaN: true });
const start = double({ min: 0, max: 1e9, noNaN: true });

describe('the drift allowance', () => {
  it.each([
    [10_000, 0.01, 102],
    [1000, 0, 2],
    [150, 0.01, 4],
  ])('of %i ms with factor %d is %i ms', (ttlMs, factor, allowanceMs) => {
    expect(driftAllowanceMs(ttlMs, factor)).toBe(allowanceMs);
  });

  it('is at least 2 ms, and grows with the time to live', () => {
    assert(
      property(ttl, ttl, driftFactor, (one, other, factor) => {
        const [shorter, longer] = [Math.min(one, other), Math.max(one, other)];
        expect(driftAllowanceMs(shorter, factor)).toBeGreaterThanOrEqual(2);
        expect(driftAllowanceMs(longer, factor)).toBeGreaterThanOrEqual(driftAllowanceMs(shorter, factor));
      }),
    );
  });
});

describe('validity', () => {
  it('ends before any key that was set after its start, by clocks that run faster by the drift factor', () => {
    assert(
      property(ttl, double({ min: 0, max: 0.3, noNaN: true }), start, (ttlMs, factor, startedMs) => {
        // A key lives at least ttl − 1 ms by its server's clock, which runs up to `factor` faster.
        const leastLifeMs = (ttlMs - 1) / (1 + factor);
        expect(validUntilMs(startedMs, ttlMs, factor)).toBeLessThanOrEqual(startedMs + leastLifeMs);
      }),
    );
  });
});

describe('the node timeout', () => {
  it.each([
    [10_000, 500],
    [2000, 200],
    [60, 10],
    [20, 9],
    [3, 0.5],
  ])('for a lock of %i ms is %d ms', (ttlMs, timeoutMs) => {
    expect(nodeTimeoutMs(null, ttlMs, 0.01)).toBe(timeoutMs);
  });

  it('leaves at least half of the validity, and is what the caller wants unless the lock would be over', () => {
    assert(
      property(ttl, driftFactor, double({ min: 0.001, max: 1e9, noNaN: true }), (ttlMs, factor, wantedMs) => {
        const longestValidityMs = ttlMs - driftAllowanceMs(ttlMs, factor);
        if (longestValidityMs <= 0) return;
        expect(nodeTimeoutMs(null, ttlMs, factor)).toBeGreaterThan(0);
        expect(nodeTimeoutMs(null, ttlMs, factor)).toBeLessThanOrEqual(longestValidityMs / 2);
        expect(nodeTimeoutMs(wantedMs, ttlMs, factor)).toBe(Math.min(wantedMs, longestValidityMs));
      }),
    );
  });
});
