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
        replace: `for (const reply of this.replies) if (reply === undefined) this.votesFor += 1;
          this.end(decide(this.nodes.length, this.votesFor, this.votesAgainst) === 'granted');`,
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
        replace: 'if (this.votesFor + this.votesAgainst < this.nodes.length) this.end(false);',
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
