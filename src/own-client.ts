import { Redis, type RedisOptions } from 'ioredis';
import type { Environment } from './environment.ts';

const FIRST_RECONNECT_MS = 50;
const SLOWEST_RECONNECT_MS = 1000;
/** ioredis waits so long for a socket to close before it destroys it, and in some states keeps the process alive for as long. */
const DISCONNECT_TIMEOUT_MS = 100;
/** ioredis asks a server that reads its data again after so long at most, and not only when it ought to be done by its own estimate. */
const LOADING_RETRY_MS = 250;

/**
 * Connects to a server with the caller's options, but never lets ioredis run a command later than when it was given, or twice:
 * a SET that comes late leaves a key that nobody holds, and a SET that is sent again is refused by the key it made.
 */
export function connectTo(options: RedisOptions, environment: Environment): Redis {
  const ownOptions: RedisOptions = {
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    maxLoadingRetryTime: LOADING_RETRY_MS,
    // Or ioredis would stay with a master that was replaced, and still serves, until Sentinel makes a replica of it: seconds later.
    failoverDetector: Array.isArray(options.sentinels),
    ...options,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  };
  // Null is the caller's wish never to connect again.
  if (ownOptions.retryStrategy === undefined) {
    ownOptions.retryStrategy = (attempts) => reconnectDelayMs(attempts, environment.random.fraction());
  }
  return new Redis(ownOptions as RedisOptions & { replyMapping: 'legacy' });
}

/** Doubles from 50 ms to a second, of which up to a half is taken off at random, so that clients do not come back all at once. */
export function reconnectDelayMs(attempts: number, fraction: number): number {
  const longestMs = Math.min(FIRST_RECONNECT_MS * 2 ** (attempts - 1), SLOWEST_RECONNECT_MS);
  return longestMs * (1 - fraction / 2);
}
