import { nameAsyncDispose } from './disposal.ts';
import type { DuplicateServer } from './distinct-servers.ts';
import { AbortedError, ExpiredError, ExtensionRefusedError, type LockError, UnreachableError } from './errors.ts';
import type { EventHub } from './event-hub.ts';
import type { LockNode } from './lock-node.ts';
import { provesLoss } from './loss.ts';
import type { Observation } from './observation.ts';
import { checkTtl, type ResolvedOptions } from './options.ts';
import { describeOutcomes, firstError } from './outcomes.ts';
import { joinedResources, quotedResources } from './resource-names.ts';
import { type Motion, Round } from './round.ts';
import type { Tenure } from './tenure.ts';
import { releaseOrLetExpire } from './using.ts';
import { validUntilMs } from './validity.ts';

/** What all locks of one Redlock share. */
export interface LockContext {
  readonly nodes: readonly LockNode[];
  readonly options: ResolvedOptions;
  readonly events: EventHub;
  /** How long to wait for a node, for a lock of this time to live. */
  nodeTimeoutMs(ttlMs: number): number;
  /** Whether the Redlock was told to quit or close. */
  isClosed(): boolean;
  /** Two nodes that are known to be one server; null if there are none. */
  findDuplicate(): DuplicateServer | null;
}

/** What was granted: the facts of one acquire. */
export interface Grant {
  readonly tenure: Tenure;
  readonly attempts: number;
  readonly validityMs: number;
  readonly validUntilMs: number;
  readonly token: number | null;
}

/**
 * A lock that was acquired. It may be relied on for `validity` milliseconds from the moment it was granted or last
 * extended, and not a moment longer, whether or not it was released.
 */
export class AcquiredLock {
  static {
    nameAsyncDispose(this.prototype);
  }

  /** The resource that is locked; several with commas between them. */
  readonly resource: string;
  /** All the resources that are locked, each once and sorted. */
  readonly resources: readonly string[];
  /** The value that the nodes hold for this lock and no other, under the key of each resource. */
  readonly value: string;
  /** Attempts that acquire took, the successful one included. */
  readonly attempts: number;
  /** The fencing token: larger than that of every lock granted before on any of the resources. Undefined without `fencing`. */
  readonly token: number | undefined;

  // Hidden from whoever prints or serialises a lock: the connections behind it know passwords.
  readonly #context: LockContext;
  readonly #tenure: Tenure;
  #grantedValidityMs: number;
  #validUntilMs: number;
  #extensions = 0;
  /** Whether release was ever called: from then on the holder must not rely on the lock, even if nodes still hold it. */
  #givenBack = false;
  #releasing: Promise<void> | null = null;

  /** @internal Locks are made by `Redlock.acquire`. */
  constructor(context: LockContext, grant: Grant) {
    this.#context = context;
    this.#tenure = grant.tenure;
    this.resources = grant.tenure.target.resources;
    this.resource = joinedResources(this.resources);
    this.value = grant.tenure.value;
    this.attempts = grant.attempts;
    this.token = grant.token ?? undefined;
    this.#grantedValidityMs = grant.validityMs;
    this.#validUntilMs = grant.validUntilMs;
  }

  /** Milliseconds that were left when the lock was granted, or when its last extension was. */
  get validity(): number {
    return this.#grantedValidityMs;
  }

  /** What logs and other programs may know of the lock: nothing of the connections, whose options may hold passwords. */
  toJSON(): Pick<AcquiredLock, 'resource' | 'resources' | 'value' | 'attempts' | 'token' | 'validity'> {
    const { resource, resources, value, attempts, token, validity } = this;
    return { resource, resources, value, attempts, token, validity };
  }

  /** Whether the lock was given back, by a release that may still be under way or may have failed. */
  get released(): boolean {
    return this.#givenBack;
  }

  /** Milliseconds that are left now, by a monotonic clock; 0 once the lock is released or its validity is over. */
  remaining(): number {
    return this.#givenBack ? 0 : Math.max(0, this.#validUntilMs - this.now());
  }

  /**
   * Lets the lock live for `ttl` milliseconds from now, on a quorum of nodes; it never lives shorter than before. Resolves to
   * this same lock. A failed extension leaves the validity as it was: ExpiredError (it is over), ExtensionRefusedError
   * (a quorum does not hold the lock any more, or `extensionLimit` is reached), UnreachableError, or AbortedError (the Redlock was
   * closed). One that fails because the lock is over meanwhile takes the lock off the nodes, which may have prolonged it.
   */
  extend(ttl: number): Promise<this> {
    return new Promise((resolve, reject) => {
      const { options, nodes, events } = this.#context;
      checkTtl(ttl, options);
      const observation = events.observe('extend', this.resources);
      observation?.started();
      const refusal = this.refusalToExtend();
      if (refusal !== null) {
        reject(refusal);
        this.tellFailure(observation, refusal);
        return;
      }
      this.#extensions += 1;
      const extendedUntilMs = validUntilMs(this.now(), ttl, options.clockDriftFactor);
      const timeoutMs = this.#context.nodeTimeoutMs(ttl);
      const motion: Motion = {
        commandFor: (key) => ({ kind: 'extend', key, value: this.value, ttlMs: ttl, timeoutMs }),
        supports: ({ kind }) => kind === 'extended',
      };
      const round = new Round(nodes, this.#tenure.target, motion, (granted) => {
        const failure = this.judgeExtension(granted, extendedUntilMs, round);
        if (failure === null) {
          resolve(this);
          observation?.extended(this.#grantedValidityMs);
        } else {
          // Only extensions that were granted count towards the cap.
          this.#extensions -= 1;
          // Nodes may have prolonged what nobody relies on any more, and would keep others out for all that time.
          if (this.isOver() && !this.#givenBack) this.#tenure.clear();
          reject(failure);
          this.tellFailure(observation, failure);
        }
      });
      round.start(timeoutMs, options.environment);
    });
  }

  /**
   * Gives the lock back: resolves when a quorum of nodes confirms that it does not hold the value any more. Releasing a lock
   * that is over, or twice, is no error. Rejects with an UnreachableError that says which nodes did not answer, or with an
   * AbortedError where the Redlock was closed and no quorum of connections is left;
   * the lock then dies with its time to live, and release can be called again.
   */
  release(): Promise<void> {
    const isLate = !this.#givenBack && this.isOver();
    this.#givenBack = true;
    if (this.#releasing !== null) return this.#releasing;
    const { events } = this.#context;
    const observation = events.observe('release', this.resources);
    const releasing = new Promise<void>((resolve, reject) => {
      this.#tenure.clear((confirmed, round) => {
        if (confirmed || this.isOver()) {
          resolve();
          observation?.released();
          return;
        }
        this.#releasing = null;
        const failure = this.failureToRelease(round);
        reject(failure);
        observation?.failed(failure);
      });
    });
    this.#releasing = releasing;
    observation?.started();
    if (isLate) {
      events.lose(this, new ExpiredError(`${this.name} had expired before it was released`, this.resources, []));
    }
    return releasing;
  }

  /**
   * Releases the lock at the end of the block that `await using` declared it in. Never rejects: what the block did or threw matters more
   * than a lock that then dies with its time to live. Call {@link AcquiredLock.release} to learn of that.
   */
  [Symbol.asyncDispose](): Promise<void> {
    return releaseOrLetExpire(this);
  }

  private tellFailure(observation: Observation | null, failure: LockError): void {
    observation?.failed(failure);
    if ((this.isOver() && !this.#givenBack) || provesLoss(failure)) this.#context.events.lose(this, failure);
  }

  private get name(): string {
    return `the lock on ${quotedResources(this.resources)}`;
  }

  private failureToRelease(round: Round): LockError {
    const { name, resources } = this;
    const outcomes = round.outcomes();
    const rest = `which will expire by itself (${describeOutcomes('released', outcomes)})`;
    const cause = { cause: firstError(outcomes) };
    if (this.#context.isClosed() && round.lacksQuorumOfSent()) {
      return new AbortedError(`The Redlock was closed before it released ${name}, ${rest}`, resources, outcomes, cause);
    }
    return new UnreachableError(
      `Too few nodes confirmed that ${name} is released, ${rest}`,
      resources,
      outcomes,
      cause,
    );
  }

  private refusalToExtend(): LockError | null {
    const { name, resources } = this;
    if (this.#context.isClosed())
      return new AbortedError(`The Redlock was closed: ${name} cannot be extended`, resources, []);
    if (this.#givenBack) return new ExtensionRefusedError(`Cannot extend ${name}: it was released`, resources, []);
    if (this.isOver())
      return new ExpiredError(`Cannot extend ${name}: it has expired; acquire it again`, resources, []);
    const { extensionLimit } = this.#context.options;
    if (extensionLimit >= 0 && this.#extensions >= extensionLimit) {
      const times = extensionLimit === 1 ? 'once' : `${extensionLimit} times`;
      return new ExtensionRefusedError(`Cannot extend ${name} more than ${times} (extensionLimit)`, resources, []);
    }
    return null;
  }

  private judgeExtension(granted: boolean, extendedUntilMs: number, round: Round): LockError | null {
    const { name, resources } = this;
    const outcomes = round.outcomes();
    const votes = `(${describeOutcomes('extended', outcomes)})`;
    if (this.#givenBack)
      return new ExtensionRefusedError(`Cannot extend ${name}: it was released meanwhile`, resources, outcomes);
    // Others may have seen it expire, even if a quorum has just prolonged it.
    if (this.isOver())
      return new ExpiredError(`Cannot extend ${name}: it expired meanwhile ${votes}`, resources, outcomes);
    if (!granted && round.lacksQuorum()) {
      const cause = { cause: firstError(outcomes) };
      return new UnreachableError(`Too few nodes answered to extend ${name} ${votes}`, resources, outcomes, cause);
    }
    if (!granted) return new ExtensionRefusedError(`No quorum holds ${name} any more ${votes}`, resources, outcomes);
    if (extendedUntilMs <= this.now()) {
      return new ExpiredError(`The extension of ${name} came too late to be of use ${votes}`, resources, outcomes);
    }
    this.#validUntilMs = Math.max(this.#validUntilMs, extendedUntilMs);
    this.#grantedValidityMs = this.#validUntilMs - this.now();
    return null;
  }

  private isOver(): boolean {
    return this.#validUntilMs <= this.now();
  }

  private now(): number {
    return this.#context.options.environment.clock.now();
  }
}
