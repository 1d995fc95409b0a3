import type { Mutant } from '../mutant.ts';

/** Attempts that leave something behind, or come in each other's way. */
export const ATTEMPTS: readonly Mutant[] = [
  {
    name: 'no-clean-up-between-attempts',
    broken: 'an attempt that failed leaves its value on the nodes',
    patches: [
      {
        file: 'src/attempt.ts',
        find: 'this.tenure.clear();\n    finish(',
        replace: 'finish(',
      },
    ],
  },
  {
    name: 'no-clean-up-after-abort',
    broken: 'an acquire that is given up leaves its value on the nodes',
    patches: [
      { file: 'src/attempt.ts', find: 'this.stop();\n    this.tenure.clear();\n  }', replace: 'this.stop();\n  }' },
    ],
  },
  {
    name: 'abort-ignored',
    broken: 'an acquire that is aborted goes on behind its caller’s back',
    patches: [{ file: 'src/acquisition.ts', find: 'this.attempt?.abandon();', replace: '' }],
  },
  {
    name: 'one-value-for-all-attempts',
    broken: 'all attempts of an acquire store the same value, so that the clean-up of one meets the next',
    patches: [
      {
        file: 'src/acquisition.ts',
        find: 'return this.context.options.environment.random.token();',
        replace: 'return ((this as { once?: string }).once ??= this.context.options.environment.random.token());',
      },
    ],
  },
  {
    name: 'one-value-for-all-clients',
    broken: 'all clients store the same value',
    patches: [
      {
        file: 'src/acquisition.ts',
        find: 'return this.context.options.environment.random.token();',
        replace: "return 'locked';",
      },
    ],
  },
  {
    name: 'validity-from-first-attempt',
    broken: 'the validity is counted from the first attempt, so that a lock that took long is over at once',
    patches: [
      {
        file: 'src/attempt.ts',
        find: 'validUntilMs(nowMs,',
        replace: 'validUntilMs((this.request as { firstMs?: number }).firstMs ?? nowMs,',
      },
      {
        file: 'src/acquisition.ts',
        find: 'fresh: this.lockValue === null,',
        replace: `fresh: this.lockValue === null,
          ...{ firstMs: ((this as { firstMs?: number }).firstMs ??= environment.clock.now()) },`,
      },
    ],
  },
  {
    name: 'late-grant-stays',
    broken: 'a grant that arrives after the clean-up is not removed',
    patches: [
      { file: 'src/tenure.ts', find: 'if (this.clearing === null) return;', replace: 'if (place >= 0) return;' },
    ],
  },
  {
    name: 'clean-up-by-quorum',
    broken: 'the clean-up goes to a quorum of the nodes only',
    patches: [
      {
        file: 'src/round.ts',
        find: 'for (let place = 0; place < this.replies.length; place += 1) {',
        replace: `const count = commands[0]?.kind === 'release' ? quorumOf(this.nodes.length) * this.keyCount : this.replies.length;
          for (let place = 0; place < count; place += 1) {`,
      },
    ],
  },
  {
    name: 'asks-a-quorum-only',
    broken: 'only as many nodes are asked as are needed',
    patches: [
      {
        file: 'src/round.ts',
        find: 'for (let place = 0; place < this.replies.length; place += 1) {',
        replace: `const count = commands[0]?.kind === 'acquire' ? quorumOf(this.nodes.length) * this.keyCount : this.replies.length;
          for (let place = 0; place < count; place += 1) {`,
      },
    ],
  },
];
