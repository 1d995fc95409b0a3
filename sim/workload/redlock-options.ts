import type { AcquireOptions, RedlockOptions } from '../../src/options.ts';
import { exponentialRetry } from '../../src/retry.ts';
import type { Scenario } from '../scenario/schema.ts';
import { probeRetryCount } from './facts.ts';

type Settings = Omit<Scenario['settings'], 'nodes' | 'ttl'>;

/** The count of a Redlock that is told none: how a scenario delays its retries does not change how many they are. */
const DEFAULT_RETRIES = 3;
/** Beyond any run: what a probe waits for, whose Redlock may have a deadline that is for people who wait. */
const PROBE_DEADLINE_MS = 3_600_000;

/** The library's options by the settings of a scenario; what these leave out has the library's default. */
export function redlockOptionsOf(settings: Settings): RedlockOptions {
  const { retryCount, retryDelay, retryJitter, backoff, deadline, extensionLimit } = settings;
  const { clockDriftFactor, nodeTimeout, fencing, restartGuard } = settings;
  return {
    ...(backoff === undefined
      ? { retryCount, retryDelay, retryJitter }
      : { retry: exponentialRetry({ ...backoff, count: retryCount ?? DEFAULT_RETRIES }) }),
    deadline,
    extensionLimit,
    clockDriftFactor,
    nodeTimeout,
    fencing,
    restartGuard: restartGuard === undefined ? undefined : { longestTtl: restartGuard },
  };
}

/** How a probe differs from the acquires of a workload: it does not try without end, and has all the time it needs. */
export function probeOptions({ retryCount, deadline }: Settings): Pick<AcquireOptions, 'retryCount' | 'deadline'> {
  return {
    retryCount: probeRetryCount(retryCount),
    deadline: deadline === undefined ? undefined : PROBE_DEADLINE_MS,
  };
}
