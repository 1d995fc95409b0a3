import type {
  AcquireFailed,
  AcquireGranted,
  AcquireInvoked,
  AttemptStarted,
  CommandExecuted,
  CommandSent,
  ExtendFailed,
  ExtendGranted,
  ExtendInvoked,
  HistoryEvent,
  ReplyReceived,
  SectionEntered,
  WriteAccepted,
} from './event.ts';
import type { History } from './history.ts';
import { Numbering } from './numbering.ts';
import { FAILED, GRANTED, NONE, PENDING, RunTables, WITHDRAWN } from './run-tables.ts';

const INFINITY = Number.POSITIVE_INFINITY;
/** Codes of an acquire that did its best and failed. */
const FAILURES: ReadonlySet<string> = new Set(['contended', 'unreachable', 'expired']);
/** Redis expires keys by whole milliseconds: one may be lost at either end. */
const EXPIRY_PRECISION_MS = 2;

const known = new WeakMap<History, { readonly length: number; readonly tables: RunTables }>();

/** The tables of a history. They are read once for all checkers, and again only when the history has grown. */
export function tablesOf(history: History): RunTables {
  const earlier = known.get(history);
  if (earlier?.length === history.length) return earlier.tables;
  const tables = readTables(history);
  known.set(history, { length: history.length, tables });
  return tables;
}

/** Reads the tables of a history, in one pass over it. */
export function readTables(history: History): RunTables {
  const reader = new TableReader();
  const { length } = history;
  for (let index = 0; index < length; index += 1) reader.read(history.at(index), index);
  return reader.finish();
}

class TableReader {
  private readonly tables = new RunTables();
  private readonly acquireOfOperation = new Numbering();
  /** Only commands of a vote: acquire and commit. */
  private readonly attemptOfCommand = new Numbering();
  /** By value. */
  private readonly openAttempts = new Map<string, number>();
  private readonly openExtensions = new Map<number, { readonly lease: number; readonly ttlMs: number }>();
  /** By lease. */
  private readonly openSections = new Map<number, number>();
  private clockDriftFactor = 0;

  read(event: HistoryEvent, index: number): void {
    switch (event.type) {
      case 'command-executed':
        this.commandExecuted(event, index);
        break;
      case 'command-sent':
        this.commandSent(event);
        break;
      case 'reply-received':
        this.replyReceived(event);
        break;
      case 'acquire-invoked':
        this.acquireInvoked(event, index);
        break;
      case 'attempt-started':
        this.attemptStarted(event, index);
        break;
      case 'acquire-granted':
        this.acquireGranted(event, index);
        break;
      case 'acquire-failed':
        this.acquireFailed(event, index);
        break;
      case 'section-entered':
        this.sectionEntered(event, index);
        break;
      case 'section-left': {
        const section = this.openSections.get(event.lease);
        if (section === undefined) this.contradiction(index, event, 'leaves a section that was not entered');
        else this.tables.sections.leftUs.set(section, event.timeUs);
        this.openSections.delete(event.lease);
        break;
      }
      case 'write-accepted':
        this.writeAccepted(event, index);
        break;
      case 'release-invoked': {
        this.tables.operations += 1;
        const lease = this.leaseOf(event, index);
        if (lease !== NONE) lower(this.tables.leases.releaseInvokedUs, lease, event.timeUs);
        break;
      }
      case 'release-done': {
        const lease = this.leaseOf(event, index);
        if (lease !== NONE) lower(this.tables.leases.releaseDoneUs, lease, event.timeUs);
        break;
      }
      case 'extend-invoked':
        this.extendInvoked(event, index);
        break;
      case 'extend-granted':
        this.extendGranted(event, index);
        break;
      case 'extend-failed':
        this.extendSettled(event);
        break;
      case 'run-started':
        this.tables.started = event;
        this.clockDriftFactor = event.clockDriftFactor;
        break;
      case 'healed':
        this.tables.healedUs = event.timeUs;
        break;
      case 'run-ended':
        this.tables.ended = event;
        break;
      default:
    }
  }

  finish(): RunTables {
    // What is pending may still happen, at any time.
    for (const { lease } of this.openExtensions.values()) this.tables.leases.keysUntilUs.set(lease, INFINITY);
    return this.tables;
  }

  private acquireInvoked(event: AcquireInvoked, index: number): void {
    const { acquires, resources } = this.tables;
    this.tables.operations += 1;
    if (this.acquireOfOperation.rowOf(event.operation) !== NONE) {
      this.contradiction(index, event, `uses operation ${event.operation} again`);
      return;
    }
    this.acquireOfOperation.set(event.operation, acquires.count);
    acquires.resource.push(resources.numberOf(event.resource));
    acquires.ttlMs.push(event.ttlMs);
    acquires.isProbe.push(event.phase === 'probe' ? 1 : 0);
    acquires.invokedIndex.push(index);
    acquires.invokedUs.push(event.timeUs);
    acquires.outcome.push(PENDING);
    acquires.outcomeIndex.push(NONE);
    acquires.lastAttempt.push(NONE);
    acquires.lease.push(NONE);
  }

  private attemptStarted(event: AttemptStarted, index: number): void {
    const { acquires, attempts } = this.tables;
    const acquire = this.pendingAcquireOf(event, index);
    if (acquire === NONE) return;
    const previous = acquires.lastAttempt.get(acquire);
    if (previous !== NONE) this.endAttempt(previous, event.timeUs);
    const row = attempts.count;
    acquires.lastAttempt.set(acquire, row);
    attempts.acquire.push(acquire);
    attempts.previous.push(previous);
    attempts.startedIndex.push(index);
    attempts.startedUs.push(event.timeUs);
    attempts.endedUs.push(INFINITY);
    attempts.usefulUntilUs.push(event.timeUs + this.usefulMs(acquires.ttlMs.get(acquire)) * 1000);
    attempts.answers.push(0);
    attempts.denials.push(0);
    this.openAttempts.set(event.value, row);
  }

  private acquireGranted(event: AcquireGranted, index: number): void {
    const { acquires, attempts, leases } = this.tables;
    const acquire = this.pendingAcquireOf(event, index);
    if (acquire === NONE) return;
    const attempt = acquires.lastAttempt.get(acquire);
    this.settleAcquire(acquire, GRANTED, event, index);
    this.openAttempts.delete(event.value);
    acquires.lease.set(acquire, leases.count);
    leases.acquire.push(acquire);
    leases.resource.push(acquires.resource.get(acquire));
    leases.startedIndex.push(attempt === NONE ? acquires.invokedIndex.get(acquire) : attempts.startedIndex.get(attempt));
    leases.startedUs.push(attempt === NONE ? acquires.invokedUs.get(acquire) : attempts.startedUs.get(attempt));
    leases.grantedIndex.push(index);
    leases.grantedUs.push(event.timeUs);
    leases.validUntilUs.push(event.validUntilUs);
    leases.prolongedIndex.push(NONE);
    leases.releaseInvokedUs.push(INFINITY);
    leases.releaseDoneUs.push(INFINITY);
    leases.keysUntilUs.push(event.timeUs + this.keyLifeMs(acquires.ttlMs.get(acquire)) * 1000);
    leases.token.push(event.token ?? Number.NaN);
  }

  private acquireFailed(event: AcquireFailed, index: number): void {
    const acquire = this.pendingAcquireOf(event, index);
    if (acquire !== NONE) this.settleAcquire(acquire, FAILURES.has(event.code) ? FAILED : WITHDRAWN, event, index);
  }

  private settleAcquire(acquire: number, outcome: number, event: HistoryEvent, index: number): void {
    const { acquires } = this.tables;
    acquires.outcome.set(acquire, outcome);
    acquires.outcomeIndex.set(acquire, index);
    const attempt = acquires.lastAttempt.get(acquire);
    if (attempt !== NONE) this.endAttempt(attempt, event.timeUs);
  }

  private endAttempt(attempt: number, timeUs: number): void {
    lower(this.tables.attempts.endedUs, attempt, timeUs);
  }

  private extendInvoked(event: ExtendInvoked, index: number): void {
    this.tables.operations += 1;
    const lease = this.leaseOf(event, index);
    if (lease !== NONE) this.openExtensions.set(event.operation, { lease, ttlMs: event.ttlMs });
  }

  private extendGranted(event: ExtendGranted, index: number): void {
    const { leases } = this.tables;
    this.extendSettled(event);
    const lease = this.leaseOf(event, index);
    // Who has called release does not believe in the lease any more, whatever is granted.
    if (lease === NONE || leases.releaseInvokedUs.get(lease) <= event.timeUs) return;
    if (event.validUntilUs > leases.validUntilUs.get(lease)) {
      leases.validUntilUs.set(lease, event.validUntilUs);
      leases.prolongedIndex.set(lease, index);
    }
  }

  /** A refused extension may have prolonged the key on some nodes, so that it counts like one that was granted. */
  private extendSettled(event: ExtendGranted | ExtendFailed): void {
    const extension = this.openExtensions.get(event.operation);
    if (extension === undefined) return;
    this.openExtensions.delete(event.operation);
    const { keysUntilUs } = this.tables.leases;
    const untilUs = event.timeUs + this.keyLifeMs(extension.ttlMs) * 1000;
    if (untilUs > keysUntilUs.get(extension.lease)) keysUntilUs.set(extension.lease, untilUs);
  }

  private sectionEntered(event: SectionEntered, index: number): void {
    const { sections, resources } = this.tables;
    if (this.leaseOf(event, index) === NONE) return;
    if (this.openSections.has(event.lease)) {
      this.contradiction(index, event, `enters the section of lease ${event.lease} a second time`);
      return;
    }
    this.openSections.set(event.lease, sections.count);
    sections.lease.push(event.lease);
    sections.resource.push(resources.numberOf(event.resource));
    sections.enteredIndex.push(index);
    sections.enteredUs.push(event.timeUs);
    sections.leftUs.push(INFINITY);
  }

  private writeAccepted(event: WriteAccepted, index: number): void {
    const { acceptedWrites, resources } = this.tables;
    const lease = this.leaseOf(event, index);
    if (lease === NONE) return;
    acceptedWrites.lease.push(lease);
    acceptedWrites.resource.push(resources.numberOf(event.resource));
    acceptedWrites.acceptedIndex.push(index);
  }

  private commandSent(event: CommandSent): void {
    this.tables.commandsSent += 1;
    if (event.kind === 'extend' || event.kind === 'inspect') return;
    const attempt = this.openAttempts.get(event.value);
    if (attempt === undefined) return;
    const { attempts } = this.tables;
    if (event.kind === 'release') {
      this.endAttempt(attempt, event.timeUs);
      this.openAttempts.delete(event.value);
      return;
    }
    this.attemptOfCommand.set(event.command, attempt);
    // A node that is asked to commit has answered the acquire, but has the last word still to say.
    if (event.kind === 'commit') attempts.answers.set(attempt, attempts.answers.get(attempt) - 1);
  }

  private commandExecuted(event: CommandExecuted, index: number): void {
    if (event.kind !== 'release' && event.kind !== 'extend') return;
    const { holderCommands } = this.tables;
    holderCommands.executed += 1;
    if (event.changed && event.before !== event.value) holderCommands.strayIndexes.push(index);
  }

  private replyReceived(event: ReplyReceived): void {
    const attempt = this.attemptOfCommand.rowOf(event.command);
    if (attempt === NONE) return;
    this.attemptOfCommand.set(event.command, NONE);
    const { attempts } = this.tables;
    if (event.reply === 'failed') return;
    if (event.timeUs > attempts.endedUs.get(attempt) || event.timeUs >= attempts.usefulUntilUs.get(attempt)) return;
    attempts.answers.set(attempt, attempts.answers.get(attempt) + 1);
    if (event.reply === 'held' || event.reply === 'refused') attempts.denials.set(attempt, attempts.denials.get(attempt) + 1);
  }

  private pendingAcquireOf(event: AttemptStarted | AcquireGranted | AcquireFailed, index: number): number {
    const acquire = this.acquireOfOperation.rowOf(event.operation);
    if (acquire === NONE) this.contradiction(index, event, `names acquire ${event.operation}, which was not invoked`);
    else if (this.tables.acquires.outcome.get(acquire) !== PENDING) {
      this.contradiction(index, event, `comes after the outcome of acquire ${event.operation}`);
      return NONE;
    }
    return acquire;
  }

  private leaseOf(event: HistoryEvent & { readonly lease: number }, index: number): number {
    const acquire = this.acquireOfOperation.rowOf(event.lease);
    const lease = acquire === NONE ? NONE : this.tables.acquires.lease.get(acquire);
    if (lease === NONE) this.contradiction(index, event, `names lease ${event.lease}, which was not granted`);
    return lease;
  }

  private contradiction(index: number, event: HistoryEvent, problem: string): void {
    this.tables.flaw ??= `event ${index} (${event.type}) ${problem}`;
  }

  /** Of a time to live, what a grant can use of it by a client clock that is fast by the drift factor. */
  private usefulMs(ttlMs: number): number {
    const driftMs = Math.round(ttlMs * this.clockDriftFactor) + EXPIRY_PRECISION_MS;
    return (ttlMs - driftMs) / (1 + this.clockDriftFactor);
  }

  /** How long a key can live on a node whose clock is slow by the drift factor. */
  private keyLifeMs(ttlMs: number): number {
    return ttlMs * (1 + this.clockDriftFactor) + EXPIRY_PRECISION_MS;
  }
}

function lower(column: { get(row: number): number; set(row: number, value: number): void }, row: number, value: number): void {
  if (value < column.get(row)) column.set(row, value);
}
