import type { Mutant } from '../mutant.ts';

/** Locks that count votes wrongly. */
export const VOTES: readonly Mutant[] = [
  {
    name: 'quorum-of-half',
    broken: 'half of the nodes are a quorum',
    patches: [{ file: 'src/quorum.ts', find: 'Math.floor(nodeCount / 2) + 1', replace: 'Math.ceil(nodeCount / 2)' }],
  },
  {
    name: 'quorum-of-minority',
    broken: 'a quorum is one node less than a majority',
    patches: [
      {
        file: 'src/quorum.ts',
        find: 'Math.floor(nodeCount / 2) + 1',
        replace: 'Math.max(1, Math.floor(nodeCount / 2))',
      },
    ],
  },
  {
    name: 'timeout-is-grant',
    broken: 'a node that does not answer in time has granted',
    patches: [
      {
        file: 'src/round.ts',
        find: 'this.end(false);',
        replace: `this.replies.forEach((reply, place) => { if (reply === undefined) this.ballot.count(place, true); });
          this.end(this.ballot.decide() === 'granted');`,
      },
    ],
  },
  {
    name: 'error-is-grant',
    broken: 'a node whose connection broke has granted',
    patches: [
      {
        file: 'src/attempt.ts',
        find: "return reply.kind === 'granted' && (",
        replace: "return reply.kind === 'failed' || reply.kind === 'granted' && (",
      },
    ],
  },
  {
    name: 'tie-never-settles',
    broken: 'a vote in which all nodes have spoken and neither side has a majority stays open',
    patches: [
      { file: 'src/quorum.ts', find: 'votesAgainst > nodeCount - quorum', replace: 'votesAgainst >= quorum' },
      {
        file: 'src/round.ts',
        find: 'this.end(false);',
        replace: 'if (this.replies.includes(undefined)) this.end(false);',
      },
    ],
  },
  {
    name: 'silence-never-settles',
    broken: 'a vote waits for a node that does not answer without end',
    patches: [{ file: 'src/round.ts', find: 'this.end(false);', replace: '' }],
  },
  {
    name: 'all-nodes-needed',
    broken: 'all nodes must grant',
    patches: [{ file: 'src/quorum.ts', find: 'Math.floor(nodeCount / 2) + 1', replace: 'nodeCount' }],
  },
  {
    name: 'denied-by-one',
    broken: 'a single node that denies decides the vote',
    patches: [{ file: 'src/quorum.ts', find: 'votesAgainst > nodeCount - quorum', replace: 'votesAgainst > 0' }],
  },
  {
    name: 'unreachable-is-contended',
    broken: 'nodes that cannot be reached are reported as if others held the lock',
    patches: [
      {
        file: 'src/attempt.ts',
        find: "this.round.lacksQuorum() ? 'unreachable' : 'contended'",
        replace: "this.round.lacksQuorum() ? 'contended' : 'contended'",
      },
    ],
  },
  {
    name: 'silence-is-contended',
    broken: 'nodes that keep silent count among those that denied, when it is said why the lock was not had',
    patches: [
      {
        file: 'src/round.ts',
        find: 'reply === undefined ? this.timedOut : ',
        replace: 'reply === undefined ? false : ',
      },
    ],
  },
  {
    name: 'half-the-timeout',
    broken: 'nodes are waited for half as long as was asked for',
    patches: [
      {
        file: 'src/round.ts',
        find: 'environment.timers.schedule(timeoutMs, () => {',
        replace: 'environment.timers.schedule(timeoutMs / 2, () => {',
      },
    ],
  },
  {
    name: 'twice-the-timeout',
    broken: 'nodes are waited for twice as long as was asked for',
    patches: [
      {
        file: 'src/round.ts',
        find: 'environment.timers.schedule(timeoutMs, () => {',
        replace: 'environment.timers.schedule(2 * timeoutMs, () => {',
      },
    ],
  },
  {
    name: 'one-part-is-enough',
    broken: 'a node that grants one of several resources counts as if it had granted them all',
    patches: [
      {
        file: 'src/ballot.ts',
        find: 'awaitedParts[node] = supports ? awaited - 1 : 0;',
        replace: 'awaitedParts[node] = 0;',
      },
    ],
  },
  {
    name: 'parts-are-nodes',
    broken: 'each answer about one of several resources counts as the vote of a node',
    patches: [
      {
        file: 'src/ballot.ts',
        find: 'if (this.awaitedParts !== null && !this.completes(',
        replace: 'if (Number.isNaN(place) && this.awaitedParts !== null && !this.completes(',
      },
    ],
  },
  {
    name: 'last-part-decides',
    broken: 'a node votes as it answers for the last of several resources, whatever it said to the others',
    patches: [
      {
        file: 'src/ballot.ts',
        find: 'awaitedParts[node] = supports ? awaited - 1 : 0;',
        replace: 'awaitedParts[node] = awaited - 1;',
      },
    ],
  },
];
