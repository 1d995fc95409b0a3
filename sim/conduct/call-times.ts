import { nodeTimeoutMs } from '../../src/node-timeout.ts';
import { driftAllowanceMs } from '../../src/validity.ts';
import { clockDriftFactorOf } from '../scenario/clock-drift.ts';
import type { Scenario } from '../scenario/schema.ts';
import { clientRates, pausesMs, ttlsMs } from '../workload/facts.ts';

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
  const allowanceMs = driftAllowanceMs(ttlMs, clockDriftFactorOf(scenario));
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

/** Whether the library must refuse a lock of this time to live: no node could keep it, or its restart guard does not reckon with one that long. */
export function isRefusedTtl(scenario: Scenario, ttlMs: number): boolean {
  if (!Number.isSafeInteger(ttlMs) || ttlMs > (scenario.settings.restartGuard ?? Number.POSITIVE_INFINITY)) return true;
  return ttlMs <= driftAllowanceMs(ttlMs, clockDriftFactorOf(scenario));
}

/** What a stretch of time by the clock of a client, whichever it is, is in microseconds of true time. */
export class CallBounds {
  /** How long clients are paused in all. */
  readonly pausesUs: number;
  private readonly rates: { readonly least: number; readonly most: number };

  constructor(scenario: Scenario) {
    this.rates = clientRates(scenario);
    this.pausesUs = pausesMs(scenario) * US_PER_MS;
  }

  /** At the least: no timer of a client is done sooner. */
  earliestUs(milliseconds: number): number {
    return (milliseconds * US_PER_MS) / this.rates.most - ROUNDING_US;
  }

  /** At the most, for a client that is not paused. */
  latestUs(milliseconds: number): number {
    return (milliseconds * US_PER_MS) / this.rates.least + ROUNDING_US;
  }

  /** Milliseconds that the clock of a client counts at the least in a stretch of true time. */
  leastMs(timeUs: number): number {
    return ((timeUs - ROUNDING_US) * this.rates.least) / US_PER_MS;
  }

  mostMs(timeUs: number): number {
    return ((timeUs + ROUNDING_US) * this.rates.most) / US_PER_MS;
  }
}

/**
 * Whether what is left of the validity of a lock, or of an extension, is what its time to live leaves of it: less the drift allowance, and less the time since the first command was sent. In
 * milliseconds, of which `beforeMs` at the most were left of an earlier validity.
 */
export function validityFlaw(
  scenario: Scenario,
  bounds: CallBounds,
  { ttlMs, elapsedUs, validityMs }: { readonly ttlMs: number; readonly elapsedUs: number; readonly validityMs: number },
  beforeMs = 0,
): string | null {
  const wholeMs = ttlMs - driftAllowanceMs(ttlMs, clockDriftFactorOf(scenario));
  const least = wholeMs - bounds.mostMs(elapsedUs);
  const most = Math.max(wholeMs - bounds.leastMs(elapsedUs), beforeMs);
  if (!(validityMs > 0)) return `leaves ${validityMs} ms of validity, which is none`;
  if (validityMs >= least && validityMs <= most) return null;
  return `leaves ${validityMs} ms of validity, which must be from ${least} to ${most} ms`;
}

function timeoutMs(scenario: Scenario, ttlMs: number): number {
  return nodeTimeoutMs(scenario.settings.nodeTimeout ?? null, ttlMs, clockDriftFactorOf(scenario));
}
