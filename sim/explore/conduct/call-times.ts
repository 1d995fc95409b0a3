import { nodeTimeoutMs } from '../../../src/node-timeout.ts';
import { driftAllowanceMs } from '../../../src/validity.ts';
import type { Scenario } from '../../scenario/schema.ts';
import { clientRates, driftFactorOf, pausesMs, ttlsMs } from '../assumptions.ts';

const US_PER_MS = 1000;
/** Timers of clients count whole microseconds of true time. */
const ROUNDING_US = 2;

/** The longest that one command to all nodes may take a client, in microseconds of true time: its time out, by the slowest clock, and all pauses. */
export function longestRoundUs(scenario: Scenario): number {
  const longestMs = Math.max(...ttlsMs(scenario).map((ttlMs) => timeoutMs(scenario, ttlMs)));
  return (longestMs / clientRates(scenario).least + pausesMs(scenario)) * US_PER_MS + ROUNDING_US;
}

/** Before so many microseconds of true time no client can take a vote on a lock of this time to live for timed out. */
export function shortestTimeoutUs(scenario: Scenario, ttlMs: number): number {
  return (timeoutMs(scenario, ttlMs) / clientRates(scenario).most) * US_PER_MS - ROUNDING_US;
}

/** As long after the start of an attempt, in microseconds of true time, there is certainly validity left, by the fastest clock of a client. */
export function usefulUs(scenario: Scenario, ttlMs: number): number {
  const allowanceMs = driftAllowanceMs(ttlMs, driftFactorOf(scenario));
  return ((ttlMs - allowanceMs) / clientRates(scenario).most) * US_PER_MS - ROUNDING_US;
}

/**
 * Whether on a whole network every answer to a lock of the usual time to live comes in time: before its node is given up, and, with the second round that a
 * fencing token may need, before the lock is over.
 */
export function answersInTime(scenario: Scenario): boolean {
  const { ttl, fencing } = scenario.settings;
  const roundTripUs = 2 * scenario.network.latency.maxMs * US_PER_MS;
  const rounds = fencing ? 2 : 1;
  return roundTripUs < shortestTimeoutUs(scenario, ttl) && rounds * roundTripUs < usefulUs(scenario, ttl);
}

function timeoutMs(scenario: Scenario, ttlMs: number): number {
  return nodeTimeoutMs(scenario.settings.nodeTimeout ?? null, ttlMs, driftFactorOf(scenario));
}
