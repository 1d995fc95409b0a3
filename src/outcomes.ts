import type { NodeOutcome } from './errors.ts';
import type { LockReply } from './lock-node.ts';

/** How each outcome reads after a number of nodes. */
const WORDS: Readonly<Record<NodeOutcome['outcome'], string>> = {
  granted: 'granted',
  held: 'held',
  quarantined: 'quarantined',
  committed: 'committed the token',
  refused: 'refused the token',
  extended: 'extended',
  released: 'released',
  absent: 'absent',
  inspected: 'inspected',
  admitted: 'admitted',
  failed: 'failed',
  timeout: 'timed out',
  pending: 'not awaited',
};

/** What a node said, for an error. */
export function outcomeOf(node: string, reply: LockReply | undefined, timedOut: boolean): NodeOutcome {
  if (reply === undefined) return { node, outcome: timedOut ? 'timeout' : 'pending' };
  return reply.kind === 'failed' ? { node, outcome: 'failed', error: reply.error } : { node, outcome: reply.kind };
}

/**
 * What each node said, of several answers that on which its vote hung: one that was against before one that failed, and that before one that
 * is not there; the first of those that tell as much.
 *
 * @param at what was said at a place, which is `node × number of resources + resource`, and whether it was for the lock
 */
export function outcomesByNode(
  nodeCount: number,
  resources: readonly string[],
  at: (place: number) => { readonly outcome: NodeOutcome; readonly isFor: boolean },
): NodeOutcome[] {
  const partCount = Math.max(1, resources.length);
  return Array.from({ length: nodeCount }, (_, node) => {
    let telling = at(node * partCount);
    if (partCount === 1) return telling.outcome;
    let part = 0;
    for (let other = 1; other < partCount; other += 1) {
      const candidate = at(node * partCount + other);
      if (weightOf(candidate) <= weightOf(telling)) continue;
      telling = candidate;
      part = other;
    }
    return { ...telling.outcome, resource: resources[part] as string };
  });
}

/** How much an outcome tells of why the node did not vote for the lock. */
function weightOf({ outcome, isFor }: { readonly outcome: NodeOutcome; readonly isFor: boolean }): number {
  if (isFor) return 0;
  if (outcome.outcome === 'pending' || outcome.outcome === 'timeout') return 1;
  return outcome.outcome === 'failed' ? 2 : 3;
}

/**
 * Counts the outcomes in words, the wanted one first: `2 of 5 granted, 1 held, 2 timed out`; and adds why the first node that
 * failed did so.
 */
export function describeOutcomes(wanted: NodeOutcome['outcome'], outcomes: readonly NodeOutcome[]): string {
  const counts = new Map<NodeOutcome['outcome'], number>([[wanted, 0]]);
  for (const { outcome } of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const parts = [...counts].map(([outcome, count]) =>
    outcome === wanted ? `${count} of ${outcomes.length} ${WORDS[outcome]}` : `${count} ${WORDS[outcome]}`,
  );
  const quarantined = outcomes.filter(isQuarantined).map(({ node }) => node);
  if (quarantined.length > 0) {
    parts.push(
      `of which ${quarantined.join(', ')} may have forgotten locks, until restartGuard's longestTtl has passed`,
    );
  }
  const error = firstError(outcomes);
  return parts.join(', ') + (error === undefined ? '' : `; ${error.message}`);
}

/** Whether the node was not allowed to vote because it may have forgotten locks. */
export function isQuarantined({ outcome }: NodeOutcome): boolean {
  return outcome === 'quarantined';
}

/** Why the first node that failed did so, as the `cause` of an error. */
export function firstError(outcomes: readonly NodeOutcome[]): Error | undefined {
  return outcomes.find(({ error }) => error !== undefined)?.error;
}
