import type fc from 'fast-check';
import { record } from 'fast-check';
import type { Scenario } from '../../scenario/schema.ts';
import { anyOf, type GivenParts } from './world.ts';

/** Settings of the library, how nodes are set up, and the network, as drawn for one scenario. */
export interface DrawnSettings {
  readonly settings: Scenario['settings'];
  readonly network: Scenario['network'];
}

/** The longest latency of a message, as a share of the time to live: attempts and writes take many messages. */
const MOST_LATENCY_SHARE = 0.005;
/**
 * On a slow network, the longest latency as a share of the node timeout: replies come far apart, votes take a good part of it, and with the least
 * hindrance answers miss it. Well below half of it: by the
 * fastest clock, too, an answer on a whole network is in time.
 */
const slowShares = anyOf(null, null, null, 0.3, 0.42);
/** The library's default node timeout, as a share of the time to live. */
const USUAL_TIMEOUT_SHARE = 0.1;

/**
 * Settings that somebody might run with: an odd and an even number of nodes, time outs that are short, or as long as the lock lives,
 * networks on which answers easily keep to them or hardly do, and retries that come as often as every hundredth of the time to live, or ever more seldom.
 */
export function settings(given: GivenParts = {}): fc.Arbitrary<DrawnSettings> {
  return drawings.map((drawn) => {
    const built = given.settings ?? settingsOf(drawn);
    return { settings: built, network: given.network ?? { latency: latencyOf(drawn, built) } };
  });
}

const drawings = record({
  nodes: anyOf(3, 5, 3, 5, 4, 2, 1),
  ttlMs: anyOf(1000, 500, 2000, 300),
  driftFactor: anyOf(undefined, undefined, 0.05, 0.001),
  nodeTimeoutShare: anyOf(undefined, undefined, undefined, 0.05, 0.02, 1, 0.7),
  retryCount: anyOf(undefined, -1, 0, 10, 1),
  retryDelayShare: anyOf(0.1, 0.05, 0.02, 0.01),
  jitters: anyOf(true, false),
  backsOff: anyOf(false, false, false, true),
  capShare: anyOf(undefined, 0.3),
  deadlineShare: anyOf(undefined, undefined, undefined, undefined, undefined, undefined, undefined, 1, 0.3, 3),
  extensionLimit: anyOf(undefined, undefined, undefined, undefined, undefined, 0, 1, 2),
  fencing: anyOf(false, true),
  guardShare: anyOf(undefined, undefined, undefined, 1, 2),
  latency: anyOf([0.2, 1], [1, 1], [0.1, 0.1], [0.2, Number.POSITIVE_INFINITY]),
  slowShare: slowShares,
});

type Drawing = typeof drawings extends fc.Arbitrary<infer Each> ? Each : never;

function settingsOf(drawn: Drawing): Scenario['settings'] {
  const { nodes, ttlMs, driftFactor, nodeTimeoutShare, retryCount, deadlineShare, extensionLimit, fencing } = drawn;
  const { guardShare } = drawn;
  return {
    nodes,
    ttl: ttlMs,
    fencing,
    ...(driftFactor === undefined ? {} : { clockDriftFactor: driftFactor }),
    ...(nodeTimeoutShare === undefined ? {} : { nodeTimeout: ttlMs * nodeTimeoutShare }),
    ...(guardShare === undefined ? {} : { restartGuard: ttlMs * guardShare }),
    ...(retryCount === undefined ? {} : { retryCount }),
    ...(deadlineShare === undefined ? {} : { deadline: ttlMs * deadlineShare }),
    ...(extensionLimit === undefined ? {} : { extensionLimit }),
    ...delaysOf(drawn),
  };
}

/** Delays that are fixed, or grow from retry to retry. */
function delaysOf({ ttlMs, retryDelayShare, jitters, backsOff, capShare }: Drawing): Partial<Scenario['settings']> {
  const delayMs = ttlMs * retryDelayShare;
  if (!backsOff) return { retryDelay: delayMs, retryJitter: jitters ? delayMs : 0 };
  return { backoff: { base: delayMs, ...(capShare === undefined ? {} : { cap: ttlMs * capShare }) } };
}

function latencyOf(
  { latency, slowShare }: Drawing,
  { ttl, nodeTimeout }: Scenario['settings'],
): DrawnSettings['network']['latency'] {
  const [leastMs, mostMs] = latency as [number, number];
  const longestMs =
    slowShare === null
      ? Math.min(mostMs, ttl * MOST_LATENCY_SHARE)
      : (nodeTimeout ?? ttl * USUAL_TIMEOUT_SHARE) * slowShare;
  // In whole microseconds, as scenario files have it.
  const maxMs = Math.round(longestMs * 1000) / 1000;
  // The longest may be short for a lock that lives a few milliseconds only.
  return { minMs: Math.min(leastMs, maxMs), maxMs };
}
