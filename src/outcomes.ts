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
