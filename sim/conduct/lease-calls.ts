import type { HistoryEvent } from '../history/event.ts';
import { HistoryLog } from '../history/history-log.ts';
import type { HistoryVisitor } from '../history/history-visitor.ts';
import type { History } from '../history/history.ts';
import { ClientClocks } from '../history/tables/client-clocks.ts';
import { quorumOf } from '../../src/quorum.ts';
import type { Scenario } from '../scenario/schema.ts';
import { formatTimeUs } from '../text/duration-text.ts';
import { CallBounds } from './call-times.ts';
import { ExtensionJudge } from './extensions.ts';
import { isSurelyValid, type Lease, type LeaseCall } from './lease.ts';
import type { Misconduct } from './misconduct.ts';
import { Plans } from './plans.ts';
import { ReleaseJudge } from './releases.ts';
import { Tally } from './tally.ts';

type Settled = Extract<HistoryEvent, { type: 'extend-granted' | 'extend-failed' | 'release-done' | 'release-failed' }>;

/** What holders ask of their leases, extensions and releases, and what comes of it. See the judges of both. */
export function leaseCallFlaws(scenario: Scenario, history: History): readonly Misconduct[] {
  const log = HistoryLog.of(history);
  const reader = new LeaseCallReader(log, scenario);
  log.visit(reader);
  return reader.flaws;
}

class LeaseCallReader implements HistoryVisitor {
  readonly flaws: Misconduct[] = [];
  private readonly log: HistoryLog;
  private readonly scenario: Scenario;
  private readonly plans: Plans;
  private readonly quorum: number;
  private readonly extend: number;
  private readonly release: number;
  private readonly failed: number;
  private readonly supporting: Readonly<Record<LeaseCall['kind'], ReadonlySet<number>>>;
  private readonly extensions: ExtensionJudge;
  private readonly releases: ReleaseJudge;
  private clocks = new ClientClocks({});
  private readonly resourceCounts = new Map<number, { readonly count: number; readonly ttlMs: number }>();
  /** By the operation of its acquire, and by the place of its value. */
  private readonly leases = new Map<number, Lease>();
  private readonly leaseOfValue = new Map<number, Lease>();
  private readonly open = new Map<number, LeaseCall>();
  private readonly callOfCommand = new Map<number, LeaseCall>();
  private isWorkloadOver = false;

  constructor(log: HistoryLog, scenario: Scenario) {
    const bounds = new CallBounds(scenario);
    this.log = log;
    this.scenario = scenario;
    this.plans = new Plans(scenario);
    this.quorum = quorumOf(scenario.settings.nodes);
    this.extend = log.placeOf('extend');
    this.release = log.placeOf('release');
    this.failed = log.placeOf('failed');
    this.supporting = {
      extend: new Set([log.placeOf('extended')]),
      release: new Set([log.placeOf('released'), log.placeOf('absent')]),
    };
    this.extensions = new ExtensionJudge(scenario, bounds, this.flaws);
    this.releases = new ReleaseJudge(scenario, this.flaws);
  }

  visitSent(
    _index: number,
    timeUs: number,
    command: number,
    _client: number,
    node: number,
    kind: number,
    _key: number,
    value: number,
  ): void {
    if (kind !== this.extend && kind !== this.release) return;
    const lease = this.leaseOfValue.get(value);
    if (lease === undefined) return;
    const call = lease.newest[kind === this.extend ? 'extend' : 'release'];
    // A call sends all it has to send at once; what comes later, or beside it, is no part of it.
    if (call?.invokedUs === timeUs && call.asked < lease.placeCount) {
      call.asked += 1;
      this.callOfCommand.set(command, call);
      return;
    }
    const where = `${this.log.textOf(node)} at ${formatTimeUs(timeUs)}`;
    if (kind === this.extend) {
      this.add(
        'extension',
        `Lease ${lease.operation} of ${lease.client} was extended on ${where}, and nobody had asked for that.`,
      );
      return;
    }
    if (lease.clearedUs !== timeUs) lease.cleared = 0;
    lease.clearedUs = timeUs;
    lease.cleared += 1;
    if (!lease.isReleased && isSurelyValid(lease, timeUs)) {
      this.add(
        'release',
        `Lease ${lease.operation} of ${lease.client} was removed from ${where}, although its holder relied on it.`,
      );
    }
  }

  visitExecuted(): void {
    // What counts is what reaches the client.
  }

  visitReceived(_index: number, _timeUs: number, command: number, _client: number, node: number, reply: number): void {
    const call = this.callOfCommand.get(command);
    if (call === undefined) return;
    this.callOfCommand.delete(command);
    if (call.isOver) return;
    const vote = this.supporting[call.kind].has(reply) ? 'for' : reply === this.failed ? 'missing' : 'against';
    call.tally.count(node, vote);
  }

  visitOther(_index: number, event: HistoryEvent): void {
    switch (event.type) {
      case 'run-started':
        this.clocks = new ClientClocks(event.clocks);
        break;
      case 'acquire-invoked':
        this.resourceCounts.set(event.operation, { count: event.resources?.length ?? 1, ttlMs: event.ttlMs });
        break;
      case 'acquire-granted':
        this.addLease(event);
        break;
      case 'client-clock-changed': {
        const moved = this.clocks.change(event);
        if (moved === null) break;
        for (const lease of this.leases.values()) {
          if (lease.client === event.client) lease.validUntilUs = moved(lease.validUntilUs);
        }
        break;
      }
      case 'extend-invoked':
      case 'release-invoked':
        this.invoke(event);
        break;
      case 'extend-granted':
      case 'extend-failed':
      case 'release-done':
      case 'release-failed':
        this.settle(event);
        break;
      case 'workload-ended':
        this.isWorkloadOver = true;
        break;
      default:
    }
  }

  private addLease({
    operation,
    client,
    value,
    validUntilUs,
  }: Extract<HistoryEvent, { type: 'acquire-granted' }>): void {
    const { count, ttlMs } = this.resourceCounts.get(operation) ?? { count: 1, ttlMs: this.scenario.settings.ttl };
    const lease: Lease = {
      operation,
      client,
      ttlMs,
      resourceCount: count,
      placeCount: count * this.scenario.settings.nodes,
      isClockSure: this.scenario.clients[client]?.clock === 'monotonic',
      validUntilUs,
      isReleased: false,
      isReleaseUnderWay: false,
      isGone: false,
      extensions: 0,
      extensionsUnderWay: 0,
      newest: { extend: null, release: null },
      clearedUs: Number.NaN,
      cleared: 0,
    };
    this.leases.set(operation, lease);
    this.leaseOfValue.set(this.log.placeOf(value), lease);
  }

  private invoke(event: Extract<HistoryEvent, { type: 'extend-invoked' | 'release-invoked' }>): void {
    const lease = this.leases.get(event.lease);
    if (lease === undefined) return;
    const kind = event.type === 'extend-invoked' ? 'extend' : 'release';
    const call: LeaseCall = {
      kind,
      operation: event.operation,
      lease,
      ttlMs: event.type === 'extend-invoked' ? event.ttlMs : lease.ttlMs,
      invokedUs: event.timeUs,
      tally: new Tally(this.scenario.settings.nodes, lease.resourceCount, this.quorum),
      expectation: null,
      asked: 0,
      isOver: false,
    };
    lease.newest[kind] = call;
    this.open.set(event.operation, call);
    if (kind === 'extend') this.extensions.invoked(call, this.mayBeClosed(lease));
    else this.releases.invoked(call);
  }

  private settle(event: Settled): void {
    const call = this.open.get(event.operation);
    if (call === undefined) return;
    this.open.delete(event.operation);
    call.isOver = true;
    if (event.type === 'extend-granted' || event.type === 'extend-failed') this.extensions.settled(call, event);
    else this.releases.settled(call, event, this.mayBeClosed(call.lease));
  }

  private mayBeClosed({ client }: Lease): boolean {
    return this.isWorkloadOver || this.plans.mayClose(client);
  }

  private add(rule: Misconduct['rule'], message: string): void {
    this.flaws.push({ rule, message });
  }
}
