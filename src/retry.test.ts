import { assert, double, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mayRetry, retryDelayMs } from './retry.ts';

const count = integer({ min: 0, max: 1000 });
const delay = double({ min: 0, max: 1e6, noNaN: true });

describe('retries', () => {
  it('come as often as their count, and for ever with -1', () => {
    assert(
      property(count, count, (retryCount, attempts) => {
        expect(mayRetry({ retryCount, retryDelay: 0, retryJitter: 0 }, attempts)).toBe(attempts <= retryCount);
        expect(mayRetry({ retryCount: -1, retryDelay: 0, retryJitter: 0 }, attempts)).toBe(true);
      }),
    );
    expect(mayRetry({ retryCount: 0, retryDelay: 0, retryJitter: 0 }, 1)).toBe(false);
  });

  it('come after the delay, and at most the jitter later', () => {
    assert(
      property(
        delay,
        delay,
        double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (retryDelay, retryJitter, fraction) => {
          const delayMs = retryDelayMs({ retryCount: 1, retryDelay, retryJitter }, fraction);
          expect(delayMs).toBeGreaterThanOrEqual(retryDelay);
          expect(delayMs).toBeLessThanOrEqual(retryDelay + retryJitter);
        },
      ),
    );
  });
});
