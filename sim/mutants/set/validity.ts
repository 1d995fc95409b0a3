import type { Mutant } from '../mutant.ts';

/** Locks that are taken to be valid for too long, or at the wrong time. */
export const VALIDITY: readonly Mutant[] = [
  {
    name: 'validity-from-the-end',
    broken: 'the validity is counted from the last reply, not from the first command',
    patches: [
      {
        file: 'src/attempt.ts',
        find: 'const validityMs = this.validUntilMs',
        replace: `this.validUntilMs = validUntilMs(this.request.environment.clock.now(), this.request.ttlMs, this.request.clockDriftFactor);
          const validityMs = this.validUntilMs`,
      },
    ],
  },
  {
    name: 'drift-ignored',
    broken: 'the validity is the whole time to live',
    patches: [
      {
        file: 'src/validity.ts',
        find: 'Math.round(ttlMs * clockDriftFactor) + EXPIRY_PRECISION_MS',
        replace: '0 * ttlMs * clockDriftFactor',
      },
    ],
  },
  {
    name: 'drift-factor-ignored',
    broken: 'the drift allowance is 2 ms, however long the lock lives',
    patches: [
      {
        file: 'src/validity.ts',
        find: 'Math.round(ttlMs * clockDriftFactor) + EXPIRY_PRECISION_MS',
        replace: 'EXPIRY_PRECISION_MS',
      },
    ],
  },
  {
    name: 'wall-clock',
    broken: 'time is measured by the wall clock',
    patches: [
      {
        file: 'src/attempt.ts',
        find: 'const nowMs = environment.clock.now();',
        replace: 'const nowMs = environment.clock.wall();',
      },
      {
        file: 'src/attempt.ts',
        find: 'this.validUntilMs - this.request.environment.clock.now()',
        replace: 'this.validUntilMs - this.request.environment.clock.wall()',
      },
      {
        file: 'src/lock.ts',
        find: 'this.#context.options.environment.clock.now()',
        replace: 'this.#context.options.environment.clock.wall()',
      },
    ],
  },
  {
    name: 'granted-when-over',
    broken: 'a lock is granted although its validity is over when the votes are in',
    patches: [{ file: 'src/attempt.ts', find: 'if (!(validityMs > 0)) {', replace: 'if (Number.isNaN(validityMs)) {' }],
  },
  {
    name: 'half-the-time-to-live',
    broken: 'nodes are told half of the time to live that the holder counts on',
    patches: [
      {
        file: 'src/attempt.ts',
        find: "kind: 'acquire', key, value, ttlMs,",
        replace: "kind: 'acquire', key, value, ttlMs: Math.ceil(ttlMs / 2),",
      },
    ],
  },
  {
    name: 'seconds-for-milliseconds',
    broken: 'nodes take the time to live for seconds',
    patches: [
      {
        file: 'src/attempt.ts',
        find: "kind: 'acquire', key, value, ttlMs,",
        replace: "kind: 'acquire', key, value, ttlMs: ttlMs * 1000,",
      },
    ],
  },
  {
    name: 'drift-counted-twice',
    broken: 'the drift allowance is taken off twice',
    patches: [
      {
        file: 'src/validity.ts',
        find: 'startedMs + ttlMs - driftAllowanceMs(ttlMs, clockDriftFactor)',
        replace: 'startedMs + ttlMs - 2 * driftAllowanceMs(ttlMs, clockDriftFactor)',
      },
    ],
  },
  {
    name: 'half-the-validity',
    broken: 'a lock is given up when half of its time to live has passed',
    patches: [
      {
        file: 'src/validity.ts',
        find: 'startedMs + ttlMs - driftAllowanceMs(ttlMs, clockDriftFactor)',
        replace: 'startedMs + ttlMs / 2 - driftAllowanceMs(ttlMs, clockDriftFactor)',
      },
    ],
  },
];
