import type fc from 'fast-check';
import { record } from 'fast-check';
import type { Scenario } from '../../scenario/schema.ts';
import { anyOf } from './world.ts';

/** Settings of the library, how nodes are set up, and the network, as drawn for one scenario. */
export interface DrawnSettings {
  readonly settings: Scenario['settings'];
  readonly network: Scenario['network'];
}

/** The longest latency of a message, as a share of the time to live: attempts and writes take many messages. */
const MOST_LATENCY_SHARE = 0.005;

/**
 * Settings that somebody might run with: an odd and an even number of nodes, time outs that answers keep to on a whole network, retries
 * that come as often as every hundredth of the time to live.
 */
export const settings: fc.Arbitrary<DrawnSettings> = record({
  nodes: anyOf(3, 5, 3, 5, 4, 2, 1),
  ttlMs: anyOf(1000, 500, 2000, 300),
  driftFactor: anyOf(undefined, undefined, 0.05, 0.001),
  nodeTimeoutShare: anyOf(undefined, undefined, 0.05, 0.02),
  retryCount: anyOf(undefined, -1, 0, 10),
  retryDelayShare: anyOf(0.1, 0.05, 0.02, 0.01),
  jitters: anyOf(true, false),
  fencing: anyOf(false, true),
  latency: anyOf([0.2, 1], [1, 1], [0.1, 0.1], [0.2, Number.POSITIVE_INFINITY]),
}).map(({ nodes, ttlMs, driftFactor, nodeTimeoutShare, retryCount, retryDelayShare, jitters, fencing, latency }) => ({
  settings: {
    nodes,
    ttl: ttlMs,
    fencing,
    ...(driftFactor === undefined ? {} : { clockDriftFactor: driftFactor }),
    ...(nodeTimeoutShare === undefined ? {} : { nodeTimeout: ttlMs * nodeTimeoutShare }),
    ...(retryCount === undefined ? {} : { retryCount }),
    retryDelay: ttlMs * retryDelayShare,
    retryJitter: jitters ? ttlMs * retryDelayShare : 0,
  },
  network: {
    latency: { minMs: latency[0] as number, maxMs: Math.min(latency[1] as number, ttlMs * MOST_LATENCY_SHARE) },
  },
}));
