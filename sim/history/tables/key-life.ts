/** Redis expires keys by whole milliseconds: one may be lost at either end. */
const EXPIRY_PRECISION_MS = 2;

/** How long after it was set for `ttlMs` a key can still be there, on a node whose clock is slow by the drift factor. */
export function keyLifeUs(ttlMs: number, clockDriftFactor: number): number {
  return (ttlMs * (1 + clockDriftFactor) + EXPIRY_PRECISION_MS) * 1000;
}

/** How long after an attempt began a grant still leaves some validity, to a client whose clock is fast by the drift factor. */
export function usefulLifeUs(ttlMs: number, clockDriftFactor: number): number {
  const driftMs = Math.round(ttlMs * clockDriftFactor) + EXPIRY_PRECISION_MS;
  return ((ttlMs - driftMs) * 1000) / (1 + clockDriftFactor);
}
