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
  {
    name: 'never-retries',
    broken: 'an acquire never tries again',
    patches: [
      {
        file: 'src/retry.ts',
        find: 'return count < 0 || failures <= count;',
        replace: 'return count < -1 && failures <= count;',
      },
    ],
  },
  {
    name: 'retries-without-end',
    broken: 'an acquire tries without end, whatever it was told',
    patches: [
      {
        file: 'src/retry.ts',
        find: 'return count < 0 || failures <= count;',
        replace: 'return count >= -1 || failures <= count;',
      },
    ],
  },
  {
    name: 'one-retry-more',
    broken: 'an acquire tries once more than it was told',
    patches: [{ file: 'src/retry.ts', find: 'failures <= count', replace: 'failures <= count + 1' }],
  },
  {
    name: 'one-retry-less',
    broken: 'an acquire tries once less than it was told',
    patches: [{ file: 'src/retry.ts', find: 'failures <= count', replace: 'failures < count' }],
  },
  {
    name: 'endless-retries-end',
    broken: 'an acquire that was told to try without end tries once',
    patches: [
      { file: 'src/retry.ts', find: 'return count < 0 || failures <= count;', replace: 'return failures <= count;' },
    ],
  },
  {
    name: 'no-pause-between-attempts',
    broken: 'attempts follow each other at once',
    patches: [
      {
        file: 'src/retry.ts',
        find: 'Number.isFinite(delayMs)) return delayMs;',
        replace: 'Number.isFinite(delayMs)) return 0;',
      },
    ],
  },
  {
    name: 'pause-too-long',
    broken: 'the pause between attempts is twice as long as it was told to be',
    patches: [
      {
        file: 'src/retry.ts',
        find: 'Number.isFinite(delayMs)) return delayMs;',
        replace: 'Number.isFinite(delayMs)) return 2 * delayMs;',
      },
    ],
  },
  {
    name: 'signal-ignored',
    broken: 'an acquire does not heed its caller’s signal',
    patches: [
      {
        file: 'src/acquisition.ts',
        find: "signal.addEventListener('abort', this.onAbort, { once: true });",
        replace: '',
      },
    ],
  },
  {
    name: 'retry-after-abort',
    broken: 'an acquire that was aborted between two attempts makes the second',
    patches: [{ file: 'src/acquisition.ts', find: 'this.cancelRetry?.();', replace: '' }],
  },
  {
    name: 'attempts-miscounted',
    broken: 'a lock tells of one attempt more than it took',
    patches: [
      { file: 'src/lock.ts', find: 'this.attempts = grant.attempts;', replace: 'this.attempts = grant.attempts + 1;' },
    ],
  },
  {
    name: 'early-late-grant-stays',
    broken: 'a grant that arrives between a clean-up and its answer is not removed',
    patches: [
      {
        file: 'src/tenure.ts',
        find: '(this.lateGrants ??= new Set()).add(place);',
        replace: 'this.lateGrants ??= new Set();',
      },
    ],
  },
  {
    name: 'clean-up-of-one-resource',
    broken: 'of several resources, the first only is cleaned up',
    patches: [
      {
        file: 'src/round.ts',
        find: 'this.send(place, commands[place % this.keyCount] as LockCommand, receive);',
        replace: `const isLeftOut = commands[0]?.kind === 'release' && place % this.keyCount > 0;
          if (!isLeftOut) this.send(place, commands[place % this.keyCount] as LockCommand, receive);`,
      },
    ],
  },
  {
    name: 'deadline-ignored',
    broken: 'an acquire has no deadline, whatever it was told',
    patches: [
      {
        file: 'src/acquisition.ts',
        find: 'const deadline = options.deadline ?? context.options.deadline;',
        replace: 'const deadline = null as number | null;',
      },
    ],
  },
  {
    name: 'deadline-of-redlock-ignored',
    broken: 'the deadline of a Redlock does not hold for its acquires',
    patches: [
      {
        file: 'src/acquisition.ts',
        find: 'options.deadline ?? context.options.deadline;',
        replace: 'options.deadline ?? null;',
      },
    ],
  },
  {
    name: 'deadline-does-not-cut',
    broken: 'an attempt that is under way is not cut at the deadline',
    patches: [
      {
        file: 'src/attempt.ts',
        find: 'return Math.max(0, Math.min(timeoutMs, endsAtMs - nowMs));',
        replace: 'return Math.max(0, endsAtMs > 0 ? timeoutMs : nowMs);',
      },
    ],
  },
  {
    name: 'waits-beyond-deadline',
    broken: 'an acquire waits for a retry that would begin after its deadline',
    patches: [
      {
        file: 'src/acquisition.ts',
        find: 'this.deadlineMs !== null && this.now() + delayMs >= this.endsAtMs',
        replace: 'this.deadlineMs === Number.NEGATIVE_INFINITY',
      },
    ],
  },
  {
    name: 'backoff-without-cap',
    broken: 'delays that grow go on growing beyond their cap',
    patches: [
      {
        file: 'src/retry.ts',
        find: 'fraction * Math.min(cap, base * factor ** (failures - 1))',
        replace: 'fraction * Math.min(cap * base * 1_000_000, base * factor ** (failures - 1))',
      },
    ],
  },
];
