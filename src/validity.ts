/** Redis expires keys by whole milliseconds, and rounding may cost one at either end. */
const EXPIRY_PRECISION_MS = 2;

/**
 * How much sooner than the time to live a holder must stop, for the clocks of the nodes may run faster than its own:
 * round(T × clockDriftFactor) + 2 ms, as the Redis documentation of distributed locks recommends.
 */
export function driftAllowanceMs(ttlMs: number, clockDriftFactor: number): number {
  return Math.round(ttlMs * clockDriftFactor) + EXPIRY_PRECISION_MS;
}

/**
 * The moment until which a lock may be relied on, by the clock that read `startedMs` before the first command was sent.
 * Every key was set after that, so every key outlives this moment by at least the drift allowance.
 */
export function validUntilMs(startedMs: number, ttlMs: number, clockDriftFactor: number): number {
  return startedMs + ttlMs - driftAllowanceMs(ttlMs, clockDriftFactor);
}
