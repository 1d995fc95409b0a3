import { driftAllowanceMs } from './validity.ts';

const FRACTION_OF_TTL = 0.1;
const LEAST_MS = 10;
const MOST_MS = 500;

/**
 * How long to wait for one node when the caller set no `nodeTimeout`: a tenth of the time to live, at least 10 ms and
 * at most 500 ms, but never more than half of what the drift allowance leaves of it, so that a lock granted
 * at the last moment still has a life worth having.
 */
export function defaultNodeTimeoutMs(ttlMs: number, clockDriftFactor: number): number {
  const wanted = Math.min(Math.max(ttlMs * FRACTION_OF_TTL, LEAST_MS), MOST_MS);
  return Math.min(wanted, (ttlMs - driftAllowanceMs(ttlMs, clockDriftFactor)) / 2);
}
