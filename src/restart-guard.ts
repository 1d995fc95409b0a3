import { driftAllowanceMs } from './validity.ts';

/** What the keys of the guard end in; no resource may. */
export const RESTART_MARKER_SUFFIX = ':restart-marker';
export const RESTART_QUARANTINE_SUFFIX = ':restart-quarantine';

/**
 * How a node is kept from voting while leases may be out that it has forgotten. The marker names the server that is known to remember, by
 * its run_id and the id of its replication history, which changes when it is promoted: a server that restarted, was flushed, is a promoted replica or
 * was a replica meanwhile has none, or that of another run. Whoever meets such a server stores the marker, and the quarantine with a time to live; until that is over the node grants nothing.
 */
export interface RestartGuard {
  readonly markerKey: string;
  readonly quarantineKey: string;
  /** How long the node must not vote: by its own clock, which may run fast, the longest lease is over then. */
  readonly quarantineMs: number;
}

/** The guard for all locks whose keys begin with `keyPrefix`, none of which lives longer than `longestTtlMs`. */
export function restartGuardOf(keyPrefix: string, longestTtlMs: number, clockDriftFactor: number): RestartGuard {
  return {
    markerKey: keyPrefix + RESTART_MARKER_SUFFIX,
    quarantineKey: keyPrefix + RESTART_QUARANTINE_SUFFIX,
    quarantineMs: longestTtlMs + driftAllowanceMs(longestTtlMs, clockDriftFactor),
  };
}
