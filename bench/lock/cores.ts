import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const CLIENT_CORE = 0;
const SERVER_CORE = 1;

/** Which cores this machine gives to whom; null where it has but one, or cannot pin. */
export interface Cores {
  /** What a command line of the client begins with. */
  readonly clientPrefix: readonly string[];
}

/**
 * Moves this process to the servers' core, so that whatever it starts from now on runs there, but for what is started with
 * `clientPrefix`: clients and servers then do not take turns on one core, nor change places while they are timed.
 */
export function pinToServerCore(): Cores | null {
  if (process.platform !== 'linux' || availableParallelism() < 2) return null;
  try {
    execFileSync('taskset', ['-acp', `${SERVER_CORE}`, `${process.pid}`], { stdio: 'ignore' });
  } catch {
    return null;
  }
  return { clientPrefix: ['taskset', '-c', `${CLIENT_CORE}`] };
}
