import { driftAllowanceMs } from './validity.ts';

const FRACTION_OF_TTL = 0.1;
const LEAST_MS = 10;
const MOST_MS = 500;

/**
 * How many milliseconds to wait for one node. Default: a tenth of the time to live, at least 10 ms and at most 500 ms, but
 * never more than half of what the drift allowance leaves of it, so that a lock granted at the last moment still has a life worth
 * having. A `nodeTimeout` of the caller's is cut where the lock would be over.
 *
 * @param nodeTimeout what the caller wants; null for the default
 */
export function nodeTimeoutMs(nodeTimeout: number | null, ttlMs: number, clockDriftFactor: number): number {
  const longestValidityMs = ttlMs - driftAllowanceMs(ttlMs, clockDriftFactor);
  if (nodeTimeout !== null) return Math.min(nodeTimeout, longestValidityMs);
  return Math.min(Math.max(ttlMs * FRACTION_OF_TTL, LEAST_MS), MOST_MS, longestValidityMs / 2);
}
