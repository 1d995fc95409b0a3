import { channel } from 'node:diagnostics_channel';
import type { Cancel, Environment } from './environment.ts';

/** 160 bits. */
const TOKEN_BYTES = 20;
/** The longest delay that setTimeout takes; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function schedule(delayMs: number, run: () => void): Cancel {
  const dueMs = performance.now() + delayMs;
  let timer: ReturnType<typeof setTimeout>;
  const arm = (remainingMs: number): void => {
    timer = setTimeout(fire, Math.min(Math.ceil(remainingMs), LONGEST_TIMER_MS));
  };
  const fire = (): void => {
    // Timers of the event loop may come a fraction of a millisecond early.
    const remainingMs = dueMs - performance.now();
    if (remainingMs > 0) arm(remainingMs);
    else run();
  };
  arm(delayMs);
  return () => {
    clearTimeout(timer);
  };
}

/** The clock, the timers and the randomness of this process. */
export const systemEnvironment: Environment = {
  clock: {
    now: () => performance.now(),
    wall: () => Date.now(),
  },
  timers: { schedule },
  random: {
    token: () => Buffer.from(crypto.getRandomValues(new Uint8Array(TOKEN_BYTES))).toString('hex'),
    fraction: () => Math.random(),
  },
  diagnostics: {
    channel,
    warn: (warning) => process.emitWarning(warning),
  },
};
