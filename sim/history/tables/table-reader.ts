import type { AcquireFailed, AcquireGranted, AcquireInvoked, AttemptStarted, HistoryEvent } from '../event.ts';
import { HistoryLog } from '../history-log.ts';
import type { HistoryVisitor } from '../history-visitor.ts';
import type { History } from '../history.ts';
import { usefulLifeUs } from './key-life.ts';
import { LeaseReader } from './lease-reader.ts';
import { ValueOwners } from './value-owners.ts';
import { FAILED, GRANTED, NONE, PENDING, RunTables, WITHDRAWN } from './run-tables.ts';
import { VoteReader } from './vote-reader.ts';

/** Codes of an acquire that did its best and failed. */
const FAILURES: ReadonlySet<string> = new Set(['contended', 'unreachable', 'expired']);

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
  const log = HistoryLog.of(history);
  const reader = new TableReader(log);
  log.visit(reader);
  return reader.finish();
}

class TableReader implements HistoryVisitor {
  private readonly tables = new RunTables();
  private readonly log: HistoryLog;
  private readonly votes: VoteReader;
  private readonly holders: LeaseReader;
  private readonly owners: ValueOwners;
  private readonly acquire: number;
  private readonly extend: number;
  private readonly release: number;

  constructor(log: HistoryLog) {
    this.log = log;
    this.votes = new VoteReader(this.tables.attempts, log);
    this.holders = new LeaseReader(this.tables);
    this.owners = new ValueOwners(log, this.tables.attempts);
    this.acquire = log.placeOf('acquire');
    this.extend = log.placeOf('extend');
    this.release = log.placeOf('release');
  }

  visitSent(
    index: number,
    timeUs: number,
    command: number,
    client: number,
    node: number,
    kind: number,
    _key: number,
    value: number,
  ): void {
    this.checkMoment(index, timeUs);
    this.tables.commandsSent += 1;
    if (kind === this.acquire) this.owners.asked(client, value);
    this.votes.sent(timeUs, command, node, kind, value);
  }

  visitExecuted(
    index: number,
    timeUs: number,
    _command: number,
    client: number,
    _node: number,
    kind: number,
    _reply: number,
    _key: number,
    value: number,
    before: number,
    changed: boolean,
  ): void {
    this.checkMoment(index, timeUs);
    if (kind !== this.release && kind !== this.extend) return;
    const { holderCommands } = this.tables;
    holderCommands.executed += 1;
    if (changed && (before !== value || this.owners.isOfAnother(client, value)))
      holderCommands.strayIndexes.push(index);
  }

  visitReceived(index: number, timeUs: number, command: number, _client: number, node: number, reply: number): void {
    this.checkMoment(index, timeUs);
    this.votes.received(timeUs, command, node, reply);
  }

  visitOther(index: number, event: HistoryEvent): void {
    const { tables, holders } = this;
    this.checkMoment(index, event.timeUs);
    if (index > 0 && event.type === 'run-started') tables.contradict(index, event, 'starts the run again');
    switch (event.type) {
      case 'acquire-invoked':
        this.acquireInvoked(index, event);
        break;
      case 'attempt-started':
        this.attemptStarted(index, event);
        break;
      case 'acquire-granted':
        this.acquireGranted(index, event);
        break;
      case 'acquire-failed':
        this.acquireFailed(index, event);
        break;
      case 'section-entered':
        holders.sectionEntered(index, event);
        break;
      case 'section-left':
        holders.sectionLeft(index, event);
        break;
      case 'write-accepted':
        holders.writeAccepted(index, event);
        break;
      case 'release-invoked':
        holders.releaseInvoked(index, event);
        break;
      case 'release-done':
        holders.releaseDone(index, event);
        break;
      case 'extend-invoked':
        holders.extendInvoked(index, event);
        break;
      case 'extend-granted':
        holders.extendGranted(index, event);
        break;
      case 'extend-failed':
        holders.extendSettled(index, event);
        break;
      case 'client-clock-changed':
        holders.clientClockChanged(index, event);
        break;
      case 'run-started':
        if (tables.started !== null) break;
        tables.started = event;
        holders.runStarted(event);
        break;
      case 'healed':
        tables.healedUs = event.timeUs;
        tables.healedIndex = index;
        break;
      case 'run-ended':
        tables.endReason = event.reason;
        tables.endedIndex = index;
        break;
      default:
    }
  }

  finish(): RunTables {
    const { tables } = this;
    if (this.log.length === 0) tables.flaw = 'there are no events';
    this.holders.finish();
    return tables;
  }

  /** Checks that an event can come where it does. Called for each event, so that the usual case must cost next to nothing. */
  private checkMoment(index: number, timeUs: number): void {
    const { tables } = this;
    if (index === 0 || timeUs < tables.lastUs || tables.endReason !== null) this.judgeMoment(index, timeUs);
    tables.lastUs = timeUs;
  }

  private judgeMoment(index: number, timeUs: number): void {
    const { tables } = this;
    const event = this.log.at(index);
    if (index === 0 && event.type !== 'run-started') {
      tables.contradict(index, event, 'comes before the run has started');
    }
    if (tables.endReason !== null) tables.contradict(index, event, 'comes after the end of the run');
    if (timeUs < tables.lastUs) tables.contradict(index, event, 'is earlier than an event before it');
  }

  private acquireInvoked(index: number, event: AcquireInvoked): void {
    const { tables } = this;
    const { acquires } = tables;
    tables.operations += 1;
    if (acquires.rowOfOperation.rowOf(event.operation) !== NONE) {
      tables.contradict(index, event, `uses operation ${event.operation} again`);
      return;
    }
    acquires.rowOfOperation.set(event.operation, acquires.count);
    acquires.resource.push(this.numberResources(acquires.count, event));
    acquires.client.push(tables.clients.numberOf(event.client));
    acquires.invokedIndex.push(index);
    acquires.outcome.push(PENDING);
    acquires.outcomeIndex.push(NONE);
    acquires.lastAttempt.push(NONE);
    acquires.lease.push(NONE);
  }

  /** Returns the number of the first. */
  private numberResources(acquire: number, { resource, resources = [resource] }: AcquireInvoked): number {
    const numbers = resources.map((name) => this.tables.resources.numberOf(name));
    if (numbers.length > 1) this.tables.acquires.several.set(acquire, numbers);
    return numbers[0] ?? this.tables.resources.numberOf(resource);
  }

  private attemptStarted(index: number, event: AttemptStarted): void {
    const { acquires, attempts, clockDriftFactor } = this.tables;
    const acquire = this.pendingAcquireOf(index, event);
    if (acquire === NONE) return;
    const { ttlMs } = this.invocationOf(acquire);
    const attempt = attempts.count;
    const previous = acquires.lastAttempt.get(acquire);
    if (previous !== NONE) attempts.endedUs.lower(previous, event.timeUs);
    acquires.lastAttempt.set(acquire, attempt);
    attempts.previous.push(previous);
    attempts.startedIndex.push(index);
    attempts.startedUs.push(event.timeUs);
    attempts.endedUs.push(Number.POSITIVE_INFINITY);
    attempts.usefulUntilUs.push(event.timeUs + usefulLifeUs(ttlMs, clockDriftFactor));
    attempts.answers.push(0);
    this.votes.open(event.value, attempt, acquires.several.get(acquire)?.length ?? 1);
  }

  private acquireGranted(index: number, event: AcquireGranted): void {
    const acquire = this.pendingAcquireOf(index, event);
    if (acquire === NONE) return;
    this.settle(acquire, GRANTED, index, event);
    this.holders.granted(index, event, acquire, this.invocationOf(acquire));
  }

  private acquireFailed(index: number, event: AcquireFailed): void {
    const acquire = this.pendingAcquireOf(index, event);
    if (acquire !== NONE) this.settle(acquire, FAILURES.has(event.code) ? FAILED : WITHDRAWN, index, event);
  }

  private settle(acquire: number, outcome: number, index: number, event: HistoryEvent): void {
    const { acquires, attempts } = this.tables;
    acquires.outcome.set(acquire, outcome);
    acquires.outcomeIndex.set(acquire, index);
    const attempt = acquires.lastAttempt.get(acquire);
    if (attempt !== NONE) attempts.endedUs.lower(attempt, event.timeUs);
  }

  private invocationOf(acquire: number): AcquireInvoked {
    return this.log.at(this.tables.acquires.invokedIndex.get(acquire)) as AcquireInvoked;
  }

  private pendingAcquireOf(index: number, event: AttemptStarted | AcquireGranted | AcquireFailed): number {
    const { tables } = this;
    const acquire = tables.acquires.rowOfOperation.rowOf(event.operation);
    if (acquire === NONE) {
      tables.contradict(index, event, `names acquire ${event.operation}, which was not invoked`);
      return NONE;
    }
    if (tables.acquires.outcome.get(acquire) !== PENDING) {
      tables.contradict(index, event, `comes after the outcome of acquire ${event.operation}`);
      return NONE;
    }
    return acquire;
  }
}
