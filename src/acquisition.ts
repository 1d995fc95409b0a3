import { AbortedError, ContendedError, ExpiredError, InvalidOptionError, type LockError, UnreachableError } from './errors.ts';
import { Attempt, type AttemptResult } from './attempt.ts';
import type { Cancel } from './environment.ts';
import { AcquiredLock, type LockContext } from './lock.ts';
import type { AcquireOptions } from './options.ts';
import { mayRetry, retryDelayMs, type RetryPolicy } from './retry.ts';

/** A wall clock beyond this many microseconds (the year 2112) is wrong, and would use up the safe integers. */
const LARGEST_TOKEN_HINT = 2 ** 52;

/** One call of acquire: attempts until one is granted, the retries are used up, or the caller's signal fires. */
export class Acquisition {
  private readonly context: LockContext;
  private readonly resource: string;
  private readonly ttlMs: number;
  private readonly policy: RetryPolicy;
  private readonly lockValue: string | null;
  private readonly signal: AbortSignal | null;
  private readonly isClosed: () => boolean;
  private readonly resolve: (lock: AcquiredLock) => void;
  private readonly reject: (error: LockError) => void;
  private attempts = 0;
  private attempt: Attempt | null = null;
  private cancelRetry: Cancel | null = null;
  private onAbort: (() => void) | null = null;

  constructor(
    context: LockContext,
    resource: string,
    ttlMs: number,
    options: AcquireOptions,
    isClosed: () => boolean,
    resolve: (lock: AcquiredLock) => void,
    reject: (error: LockError) => void,
  ) {
    this.context = context;
    this.resource = resource;
    this.ttlMs = ttlMs;
    this.policy = {
      retryCount: options.retryCount ?? context.options.retryCount,
      retryDelay: options.retryDelay ?? context.options.retryDelay,
      retryJitter: options.retryJitter ?? context.options.retryJitter,
    };
    this.lockValue = options.lockValue ?? null;
    this.signal = options.signal ?? null;
    this.isClosed = isClosed;
    this.resolve = resolve;
    this.reject = reject;
  }

  start(): void {
    if (this.signal !== null) {
      if (this.signal.aborted) {
        this.settleAborted();
        return;
      }
      this.onAbort = () => {
        this.cancelRetry?.();
        this.attempt?.abandon();
        this.settleAborted();
      };
      this.signal.addEventListener('abort', this.onAbort, { once: true });
    }
    this.tryOnce();
  }

  private tryOnce(): void {
    if (this.isClosed()) {
      this.stopListening();
      this.reject(closedError(this.resource));
      return;
    }
    const { options, nodes } = this.context;
    const { environment } = options;
    let tokenHint: number | null = null;
    if (options.fencing) {
      tokenHint = Math.floor(environment.clock.wall() * 1000);
      if (!(tokenHint >= 0 && tokenHint <= LARGEST_TOKEN_HINT)) {
        this.stopListening();
        this.reject(
          new InvalidOptionError('environment', `has a wall clock that reads ${tokenHint / 1000} ms: no fencing token can come of it`),
        );
        return;
      }
    }
    this.attempts += 1;
    // A fresh value for each attempt: a late reply to an earlier one must not be taken for this one's.
    const value = this.lockValue ?? environment.random.token();
    this.attempt = new Attempt(
      {
        nodes,
        environment,
        key: options.keyPrefix + this.resource,
        value,
        ttlMs: this.ttlMs,
        timeoutMs: this.context.nodeTimeoutMs(this.ttlMs),
        clockDriftFactor: options.clockDriftFactor,
        tokenHint,
      },
      (result) => {
        this.judge(result);
      },
    );
  }

  private judge(result: AttemptResult): void {
    // The constructor of Attempt has returned: nodes never answer within the call.
    const { tenure } = this.attempt as Attempt;
    if (result.granted) {
      this.stopListening();
      const { validityMs, validUntilMs, token } = result;
      const { resource, attempts } = this;
      this.resolve(new AcquiredLock(this.context, { resource, tenure, attempts, validityMs, validUntilMs, token }));
      return;
    }
    if (!mayRetry(this.policy, this.attempts)) {
      this.stopListening();
      this.reject(this.failure(result));
      return;
    }
    const { timers, random } = this.context.options.environment;
    this.cancelRetry = timers.schedule(retryDelayMs(this.policy, random.fraction()), () => {
      this.tryOnce();
    });
  }

  private failure(result: AttemptResult & { granted: false }): LockError {
    const resource = JSON.stringify(this.resource);
    const tries = this.attempts === 1 ? '1 attempt' : `${this.attempts} attempts`;
    switch (result.reason) {
      case 'contended':
        return new ContendedError(`No quorum of nodes granted the lock on ${resource} in ${tries}`, this.resource, result.outcomes);
      case 'unreachable':
        return new UnreachableError(`Too few nodes answered in time to lock ${resource} in ${tries}`, this.resource, result.outcomes);
      case 'expired':
        return new ExpiredError(`A quorum of nodes granted the lock on ${resource}, but too late to be of use, in ${tries}`, this.resource, result.outcomes);
    }
  }

  private settleAborted(): void {
    this.stopListening();
    this.reject(
      new AbortedError(`Acquiring the lock on ${JSON.stringify(this.resource)} was aborted`, this.resource, [], {
        cause: this.signal?.reason,
      }),
    );
  }

  private stopListening(): void {
    if (this.onAbort !== null) this.signal?.removeEventListener('abort', this.onAbort);
  }
}

/** What an acquire on a closed Redlock rejects with. */
export function closedError(resource: string): LockError {
  return new AbortedError(`The Redlock was closed: ${JSON.stringify(resource)} cannot be locked with it`, resource, []);
}
