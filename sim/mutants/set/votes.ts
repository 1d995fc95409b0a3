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
        find: "return reply.kind === 'granted';",
        replace: "return reply.kind === 'granted' || reply.kind === 'failed';",
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
];
