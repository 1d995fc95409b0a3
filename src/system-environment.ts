import { channel } from 'node:diagnostics_channel';
import type { Cancel, Environment } from './environment.ts';

/** 160 bits. */
const TOKEN_BYTES = 20;
/** The longest delay that setTimeout takes; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** One timer of `schedule`. */
interface Alarm {
  readonly dueMs: number;
  readonly run: () => void;
  timer: ReturnType<typeof setTimeout> | undefined;
}

function arm(alarm: Alarm, remainingMs: number): void {
  alarm.timer = setTimeout(ring, Math.min(Math.ceil(remainingMs), LONGEST_TIMER_MS), alarm);
}

function ring(alarm: Alarm): void {
  // Timers of the event loop may come a fraction of a millisecond early.
  const remainingMs = alarm.dueMs - performance.now();
  if (remainingMs > 0) arm(alarm, remainingMs);
  else alarm.run();
}

function schedule(delayMs: number, run: () => void): Cancel {
  const alarm: Alarm = { dueMs: performance.now() + delayMs, run, timer: undefined };
  arm(alarm, delayMs);
  return () => {
    clearTimeout(alarm.timer);
  };
}

/** Random bytes for so many tokens are drawn at once: each draw costs far more than a token. */
const TOKENS_PER_DRAW = 128;
const drawn = Buffer.alloc(TOKEN_BYTES * TOKENS_PER_DRAW);
let nextByte = drawn.length;

function token(): string {
  if (nextByte === drawn.length) {
    crypto.getRandomValues(drawn);
    nextByte = 0;
  }
  const start = nextByte;
  nextByte += TOKEN_BYTES;
  return drawn.toString('hex', start, nextByte);
}

/** The clock, the timers and the randomness of this process. */
export const systemEnvironment: Environment = {
  clock: {
    now: () => performance.now(),
    wall: () => Date.now(),
  },
  timers: { schedule },
  random: {
    token,
    fraction: () => Math.random(),
  },
  diagnostics: {
    channel,
    warn: (warning) => process.emitWarning(warning),
  },
};
