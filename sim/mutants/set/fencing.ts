import type { Mutant } from '../mutant.ts';

const NODE = 'sim/testbed/model-node/model-node.ts';

/** Fencing tokens that are not unique, or not in order. */
export const FENCING: readonly Mutant[] = [
  {
    name: 'no-second-round',
    broken: 'the largest counter is the token, and nobody is told: nodes that returned less are counted as they are',
    patches: [
      { file: 'src/attempt.ts', find: 'count(place, counter === token)', replace: 'count(place, counter !== null)' },
      { file: 'src/attempt.ts', find: 'if (counter === null || counter >= token) {', replace: 'if (token !== 0) {' },
    ],
  },
  {
    name: 'token-of-first-grant',
    broken: 'the token is that of the node that was asked first',
    patches: [
      { file: 'src/attempt.ts', find: 'reply.token > largest', replace: 'largest === 0' },
      { file: 'src/attempt.ts', find: 'count(place, counter === token)', replace: 'count(place, counter !== null)' },
    ],
  },
  {
    name: 'token-is-wall-clock',
    broken: 'the token is the time of the client’s wall clock',
    patches: [
      {
        file: 'src/attempt.ts',
        find: 'finish({ granted: true, tenure, validityMs, validUntilMs: this.validUntilMs, token });',
        replace:
          'finish({ granted: true, tenure, validityMs, validUntilMs: this.validUntilMs, token: token && this.request.tokenHint });',
      },
    ],
  },
  {
    name: 'counter-stands-still',
    broken: 'a node does not raise its counter above what it was',
    patches: [{ file: NODE, find: 'Math.max(counter + 1, tokenHint)', replace: 'Math.max(counter, tokenHint)' }],
  },
  {
    name: 'hint-ignored',
    broken: 'a node that lost its counter begins to count at one',
    patches: [{ file: NODE, find: 'Math.max(counter + 1, tokenHint)', replace: 'counter + 1' }],
  },
  {
    name: 'commit-not-awaited',
    broken: 'a lock is granted when the token has been sent to nodes, and not when a quorum has it',
    patches: [
      {
        file: 'src/attempt.ts',
        find: "if (decision === 'granted') this.succeed();",
        replace: "if (decision !== 'denied') this.succeed();",
      },
    ],
  },
];
