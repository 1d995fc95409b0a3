import type { Property } from '../../checkers/verdict.ts';

/** What Redlock takes for granted about its world. Each can be left open, to see what breaks without it. */
export const BOUND_NAMES = [
  'clock-rate',
  'clock-jump',
  'client-pause',
  'message-delay',
  'restart',
  'eviction',
  'promotion',
] as const;
export type BoundName = (typeof BOUND_NAMES)[number];

/** One assumption: what holds inside, and which properties may break outside. */
export interface Bound {
  readonly name: BoundName;
  /** What holds inside, in one sentence for people. */
  readonly inside: string;
  /** What may happen outside. */
  readonly outside: string;
  /** What breaks outside, and teaches most: what explore looks for unless it is told otherwise. */
  readonly breaks: readonly Property[];
  /** What somebody can do whose world is like that. */
  readonly remedy: string;
}

/**
 * The least share of the time to live that pauses of clients, and hindrances on the way to the protected resource, may take of a
 * run in all before they are outside. Workloads that leave in time keep this much of the lock unused, once for each.
 */
export const SLACK_SHARE = 0.1;

/**
 * By how many milliseconds in all the clocks of nodes may step forward inside the envelope. The drift allowance is round(T × f) + 2 ms; clocks at the
 * limit of their rate use up T × f of it, which rounding may have made 0.5 ms smaller, so that 1.5 ms are left.
 */
export const LARGEST_STEP_MS = 1;

/** The assumptions, by name. T is the time to live, f the clockDriftFactor, δ = round(T × f) + 2 ms the drift allowance. */
export const BOUNDS: Readonly<Record<BoundName, Bound>> = {
  'clock-rate': {
    name: 'clock-rate',
    inside:
      'no node’s clock is faster than a client’s by more than 1 / (1 − f), so that T − δ of the client’s milliseconds are over before T of the node’s',
    outside: 'clocks of nodes run too fast, or clocks of clients too slow',
    breaks: ['mutual-exclusion'],
    remedy:
      'Let a time service keep the clocks of nodes and clients at one rate, and set clockDriftFactor to no less than what they may differ by.',
  },
  'clock-jump': {
    name: 'clock-jump',
    inside: `clocks of nodes step forward by at most ${LARGEST_STEP_MS} ms in all, which the drift allowance covers, and back by at most T × f, so that no key outlives T × (1 + f)`,
    outside: 'clocks of nodes are set, forward or back',
    breaks: ['mutual-exclusion'],
    remedy: 'Let the time service slew the clocks of nodes, never step them, and forbid setting them by hand.',
  },
  'client-pause': {
    name: 'client-pause',
    inside: `clients are paused for at most ${SLACK_SHARE * 100} % of T in all, and hold no lock so long that this would matter`,
    outside: 'a client stops inside its critical section for longer than its lock lives',
    breaks: ['critical-section', 'resource-integrity'],
    remedy:
      'No lock with a time limit can prevent it. Let the protected resource refuse old fencing tokens, or choose a time to live that is longer than any pause.',
  },
  'message-delay': {
    name: 'message-delay',
    inside: `writes to the protected resource are late by at most ${SLACK_SHARE * 100} % of T in all; messages to nodes may take as long as they like`,
    outside: 'a write is on its way for longer than the lock lives',
    breaks: ['resource-integrity'],
    remedy: 'No look at the clock before a write helps. Let the protected resource refuse old fencing tokens.',
  },
  restart: {
    name: 'restart',
    inside:
      'a node that restarts has all of its data, or comes back only when every lease that it may have forgotten is over, T × (1 + f) + 2 ms later (with fencing: and wall clocks are right)',
    outside: 'a node comes back at once without its keys, or is flushed',
    breaks: ['mutual-exclusion'],
    remedy:
      'Let nodes sync every write to disk (appendfsync always), or start them again only when the longest time to live has passed; and never flush them.',
  },
  eviction: {
    name: 'eviction',
    inside: 'a node without memory refuses new keys, and drops none (noeviction)',
    outside: 'a node drops keys when its memory runs short',
    breaks: ['mutual-exclusion'],
    remedy: 'Give the nodes of locks a Redis of their own, with maxmemory-policy noeviction.',
  },
  promotion: {
    name: 'promotion',
    inside: 'a replica that takes the place of a node lacks none of its writes',
    outside: 'a replica that lacks writes takes the place of a node',
    breaks: ['mutual-exclusion'],
    remedy:
      'Use independent masters: a replica that is promoted by itself makes a node more available, and the lock less safe.',
  },
};

const FORGETTING: readonly BoundName[] = ['restart', 'eviction', 'promotion'];
const LEASE: readonly BoundName[] = ['clock-rate', 'clock-jump', ...FORGETTING];
const WORK: readonly BoundName[] = [...LEASE, 'client-pause', 'message-delay'];

/**
 * The bounds that a property needs: while none of them is overstepped, a violation is a defect. Pauses and delays never break mutual
 * exclusion, for a lease ends by the clock of its holder; nothing may ever break release safety; and fencing tokens need no clocks,
 * only nodes that do not forget their counters. A clock that is set back lets keys outlive their time.
 */
export function boundsNeededBy(property: Property, fencing: boolean): readonly BoundName[] {
  switch (property) {
    case 'mutual-exclusion':
      return LEASE;
    case 'critical-section':
      return WORK;
    case 'resource-integrity':
      return fencing ? FORGETTING : WORK;
    case 'token-order':
      return FORGETTING;
    case 'release-safety':
      return [];
    case 'deadlock-freedom':
    case 'availability':
      return ['clock-jump'];
  }
}

/** Which of the bounds are left open; none of them: the whole envelope holds. */
export interface Envelope {
  readonly open: readonly BoundName[];
}

export const WHOLE_ENVELOPE: Envelope = { open: [] };

/** What to look for outside these bounds. */
export function propertiesBrokenOutside({ open }: Envelope): readonly Property[] {
  return [...new Set(open.flatMap((bound) => BOUNDS[bound].breaks))];
}
