import { Attempt, type AttemptResult } from './attempt.ts';
import type { Cancel } from './environment.ts';
import {
  AbortedError,
  ContendedError,
  DuplicateNodeError,
  ExpiredError,
  InvalidOptionError,
  type LockError,
  type NodeOutcome,
  UnreachableError,
} from './errors.ts';
import type { AttemptEvent } from './events.ts';
import { AcquiredLock, type LockContext } from './lock.ts';
import type { LockTarget } from './lock-target.ts';
import { type AcquireOptions, retryPolicyOf } from './options.ts';
import { describeOutcomes, firstError, isQuarantined } from './outcomes.ts';
import type { Observation } from './observation.ts';
import { quotedResources } from './resource-names.ts';
import { mayRetry, retryDelayMs, type RetryPolicy } from './retry.ts';

/** A wall clock beyond this many microseconds (the year 2112) is wrong, and would use up the safe integers. */
const LARGEST_TOKEN_HINT = 2 ** 52;

/** Where an acquisition reports; one of `resolve` and `reject` is called, once, after `settled`. */
export interface AcquisitionListener {
  settled(acquisition: Acquisition): void;
  resolve(lock: AcquiredLock): void;
  /** A LockError, or what a broken Environment threw. */
  reject(error: unknown): void;
}

type Failure = AttemptResult & { readonly granted: false };

/** One call of acquire: attempts until one is granted, the retries or the time are used up, the caller's signal fires or the Redlock is closed. */
export class Acquisition {
  private readonly context: LockContext;
  private readonly target: LockTarget;
  private readonly ttlMs: number;
  private readonly policy: RetryPolicy;
  /** Null without a deadline. */
  private readonly deadlineMs: number | null;
  /** When the deadline is, by the monotonic clock; infinite without. */
  private readonly endsAtMs: number;
  private readonly lockValue: string | null;
  private readonly signal: AbortSignal | null;
  private readonly listener: AcquisitionListener;
  /** Null when nobody listens. */
  private readonly observation: Observation | null;
  private attempts = 0;
  private attempt: Attempt | null = null;
  private cancelRetry: Cancel | null = null;
  private onAbort: (() => void) | null = null;
  private over = false;

  constructor(
    context: LockContext,
    target: LockTarget,
    ttlMs: number,
    options: AcquireOptions,
    listener: AcquisitionListener,
  ) {
    this.context = context;
    this.target = target;
    this.ttlMs = ttlMs;
    this.policy = retryPolicyOf(options, context.options);
    const deadline = options.deadline ?? context.options.deadline;
    this.deadlineMs = deadline;
    this.endsAtMs = deadline === null ? Number.POSITIVE_INFINITY : this.now() + deadline;
    this.lockValue = options.lockValue ?? null;
    this.signal = options.signal ?? null;
    this.listener = listener;
    this.observation = context.events.observe('acquire', target.resources);
  }

  start(): void {
    this.observation?.started();
    if (this.context.isClosed()) {
      this.close();
      return;
    }
    const { signal } = this;
    if (signal !== null) {
      this.onAbort = () => {
        this.abort(`Acquiring the lock on ${this.name} was aborted`, { cause: signal.reason });
      };
      if (signal.aborted) {
        this.onAbort();
        return;
      }
      signal.addEventListener('abort', this.onAbort, { once: true });
    }
    try {
      this.startAttempt();
    } catch (error) {
      this.reject(error);
    }
  }

  /** Ends the acquisition because its Redlock is closed. */
  close(): void {
    this.abort(`The Redlock was closed: ${this.name} cannot be locked with it any more`);
  }

  /** Ends the acquisition when its Environment throws, which may happen in a timer, where nobody would learn of it. */
  private rejectIfThrows(run: () => void): void {
    try {
      run();
    } catch (error) {
      // Whatever throws does so before a command is sent: there is nothing to clean up.
      this.reject(error);
    }
  }

  private startAttempt(): void {
    if (this.rejectIfDuplicate([])) return;
    const { options, nodes } = this.context;
    const { environment } = options;
    let tokenHint: number | null = null;
    if (options.fencing) {
      tokenHint = Math.floor(environment.clock.wall() * 1000);
      if (!(tokenHint >= 0 && tokenHint <= LARGEST_TOKEN_HINT)) {
        this.reject(
          new InvalidOptionError(
            'environment',
            `has a wall clock that reads ${tokenHint / 1000} ms: no fencing token can come of it`,
          ),
        );
        return;
      }
    }
    this.attempts += 1;
    this.attempt = new Attempt(
      {
        nodes,
        environment,
        target: this.target,
        value: this.valueOfAttempt(),
        ttlMs: this.ttlMs,
        timeoutMs: this.context.nodeTimeoutMs(this.ttlMs),
        endsAtMs: this.endsAtMs,
        clockDriftFactor: options.clockDriftFactor,
        fresh: this.lockValue === null,
        tokenHint,
        observed: this.observation !== null,
        guard: options.restartGuard,
      },
      (result) => {
        this.judge(result);
      },
    );
    this.attempt.start();
  }

  /** Never twice the same: what is left of one attempt, a late grant or its clean-up, must not touch the next one's key. */
  private valueOfAttempt(): string {
    if (this.lockValue === null) return this.context.options.environment.random.token();
    return this.attempts === 1 ? this.lockValue : `${this.lockValue}#${this.attempts}`;
  }

  private judge(result: AttemptResult): void {
    if (result.granted) {
      const { attempts } = this;
      const { tenure, validityMs, validUntilMs, token } = result;
      this.settle();
      const lock = new AcquiredLock(this.context, { tenure, attempts, validityMs, validUntilMs, token });
      this.listener.resolve(lock);
      this.tellOfAttempt('granted');
      this.observation?.acquired(lock);
      return;
    }
    this.rejectIfThrows(() => {
      this.tellOfAttempt(result.reason);
      // A listener may have closed the Redlock, or fired the signal.
      if (!this.over) this.retryOrReject(result);
    });
  }

  private tellOfAttempt(outcome: AttemptEvent['outcome']): void {
    const { observation, attempt, attempts } = this;
    if (attempt !== null) observation?.attempted({ attempt: attempts, outcome, ...attempt.statistics() });
  }

  /** Two nodes that are one server are a mistake, which another try does not mend. */
  private rejectIfDuplicate(outcomes: readonly NodeOutcome[]): boolean {
    const duplicate = this.context.findDuplicate();
    if (duplicate === null) return false;
    const { nodes, serverId } = duplicate;
    const message = `${this.name} cannot be locked: ${nodes.join(' and ')} are the same server (${serverId}), which must not vote twice; give each Redis master once`;
    this.reject(new DuplicateNodeError(message, this.target.resources, outcomes, nodes));
    return true;
  }

  private retryOrReject(failure: Failure): void {
    if (this.rejectIfDuplicate(failure.outcomes)) return;
    if (!mayRetry(this.policy, this.attempts)) {
      this.reject(this.failure(failure));
      return;
    }
    const { timers, random } = this.context.options.environment;
    const delayMs = retryDelayMs(this.policy, this.attempts, random.fraction());
    if (this.deadlineMs !== null && this.now() + delayMs >= this.endsAtMs) {
      this.reject(this.failure(failure));
      return;
    }
    this.cancelRetry = timers.schedule(delayMs, () => {
      this.rejectIfThrows(() => {
        // A busy event loop may have let the deadline go by.
        if (this.deadlineMs !== null && this.now() >= this.endsAtMs) this.reject(this.failure(failure));
        else this.startAttempt();
      });
    });
  }

  private failure({ reason, outcomes }: Failure): LockError {
    const { name, deadlineMs } = this;
    const { resources } = this.target;
    const within = deadlineMs === null ? '' : ` within ${deadlineMs} ms`;
    const tries = (this.attempts === 1 ? '1 attempt' : `${this.attempts} attempts`) + within;
    const votes = `(${describeOutcomes('granted', outcomes)})`;
    const cause = { cause: firstError(outcomes) };
    switch (reason) {
      case 'contended':
        return new ContendedError(
          `No quorum granted the lock on ${name} in ${tries} ${votes}`,
          resources,
          outcomes,
          cause,
        );
      case 'unreachable':
        return new UnreachableError(
          `Too few nodes ${outcomes.some(isQuarantined) ? 'could vote' : 'answered'} to lock ${name} in ${tries} ${votes}`,
          resources,
          outcomes,
          cause,
        );
      case 'expired':
        return new ExpiredError(
          `A quorum granted the lock on ${name}, but so late that it was over, in ${tries} ${votes}`,
          resources,
          outcomes,
        );
    }
  }

  private abort(message: string, options?: ErrorOptions): void {
    if (this.over) return;
    this.cancelRetry?.();
    this.attempt?.abandon();
    this.reject(new AbortedError(message, this.target.resources, [], options));
  }

  private reject(error: unknown): void {
    this.settle();
    this.listener.reject(error);
    this.observation?.failed(error);
  }

  private get name(): string {
    return quotedResources(this.target.resources);
  }

  private now(): number {
    return this.context.options.environment.clock.now();
  }

  private settle(): void {
    this.over = true;
    if (this.onAbort !== null) this.signal?.removeEventListener('abort', this.onAbort);
    this.listener.settled(this);
  }
}
