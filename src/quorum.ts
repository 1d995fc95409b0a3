/** Where a vote stands: `granted` and `denied` are final, whatever the nodes still to answer say. */
export type Decision = 'granted' | 'denied' | 'pending';

/** The least number of nodes that any two majorities of `nodeCount` nodes share a node with: ⌊N/2⌋ + 1. */
export function quorumOf(nodeCount: number): number {
  return Math.floor(nodeCount / 2) + 1;
}

/**
 * Decides a vote as soon as it can be: granted with a quorum for it, denied once so many are against it
 * that no quorum is left. A tie of an even number of nodes is thus denied, never left open.
 */
export function decide(nodeCount: number, votesFor: number, votesAgainst: number): Decision {
  const quorum = quorumOf(nodeCount);
  if (votesFor >= quorum) return 'granted';
  if (votesAgainst > nodeCount - quorum) return 'denied';
  return 'pending';
}
