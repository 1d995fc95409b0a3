import type { AcquireFailed, AcquireGranted, AcquireInvoked, HistoryEvent } from '../history/event.ts';
import { HistoryLog } from '../history/history-log.ts';
import type { HistoryVisitor } from '../history/history-visitor.ts';
import type { History } from '../history/history.ts';
import { quorumOf } from '../../src/quorum.ts';
import type { Scenario } from '../scenario/schema.ts';
import { formatTimeUs } from '../text/duration-text.ts';
import { CallBounds, shortestTimeoutUs, usefulUs, validityFlaw } from './call-times.ts';
import type { Misconduct } from './misconduct.ts';
import { type Plan, Plans } from './plans.ts';
import { Tally } from './tally.ts';

/**
 * An attempt asks every node, for each resource. One that a quorum grants while there is validity left succeeds, and no other does; it fails no sooner than so many nodes have denied it, or broken down, that no
 * quorum is left, or the time of the nodes is up; and the code of the failure says which of these it was. `vote` is broken by an attempt that goes otherwise. Where tokens had to be
 * committed, a quorum of grants is not yet a lock: it takes a quorum of nodes that have the token. `validity` is broken by a lock that is valid for longer or shorter than its time to live allows.
 */
export function voteFlaws(scenario: Scenario, history: History): readonly Misconduct[] {
  const log = HistoryLog.of(history);
  const reader = new BallotReader(log, scenario);
  log.visit(reader);
  return [...asMisconduct('vote', reader.voteFlaw()), ...asMisconduct('validity', reader.firstValidityFlaw)];
}

function asMisconduct(rule: Misconduct['rule'], message: string | null): readonly Misconduct[] {
  return message === null ? [] : [{ rule, message }];
}

/** The vote on one attempt, as its client sees it. */
interface Ballot {
  readonly client: string;
  readonly operation: number;
  readonly startedUs: number;
  readonly ttlMs: number;
  /** How many resources a node must grant to have granted the lock. */
  readonly resourceCount: number;
  readonly tally: Tally;
  readonly plans: readonly Plan[];
  /** When acquire was called. */
  readonly invokedUs: number;
  /** Commands that were sent. */
  asked: number;
  /** Nodes, by the places of their names, that were told a larger token and did not confirm it, and for how many resources. */
  readonly uncommitted: Map<number, number>;
  /** When the quorum was complete. */
  quorumUs: number;
  /** When the library was done with it; Infinity while it is open. */
  endedUs: number;
  /** Whether, when it was granted, a quorum had the token: by its grant, or by a commit since. */
  isTokenCarried: boolean;
  /** How the acquire ended with it; null where it did not. */
  outcome: AcquireGranted | AcquireFailed | null;
}

class BallotReader implements HistoryVisitor {
  private readonly log: HistoryLog;
  private readonly scenario: Scenario;
  private readonly quorum: number;
  private readonly acquire: number;
  private readonly release: number;
  private readonly commit: number;
  private readonly granted: number;
  private readonly committed: number;
  private readonly missing: ReadonlySet<number>;
  private readonly bounds: CallBounds;
  private readonly plans: Plans;
  private readonly ballots: Ballot[] = [];
  /** The last of each acquire, by its operation. */
  private readonly current = new Map<number, Ballot>();
  private readonly invoked = new Map<number, AcquireInvoked>();
  private readonly ballotOfValue = new Map<number, Ballot>();
  private readonly ballotOfCommand = new Map<number, Ballot>();
  private readonly ballotOfCommit = new Map<number, Ballot>();
  firstValidityFlaw: string | null = null;

  constructor(log: HistoryLog, scenario: Scenario) {
    this.log = log;
    this.scenario = scenario;
    this.quorum = quorumOf(scenario.settings.nodes);
    this.acquire = log.placeOf('acquire');
    this.release = log.placeOf('release');
    this.commit = log.placeOf('commit');
    this.granted = log.placeOf('granted');
    this.committed = log.placeOf('committed');
    this.missing = new Set([log.placeOf('failed'), log.placeOf('quarantined')]);
    this.bounds = new CallBounds(scenario);
    this.plans = new Plans(scenario);
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
    if (kind === this.acquire) {
      const ballot = this.ballotOfValue.get(value);
      if (ballot === undefined) return;
      ballot.asked += 1;
      this.ballotOfCommand.set(command, ballot);
    } else if (kind === this.commit) {
      const ballot = this.ballotOfValue.get(value);
      if (ballot === undefined) return;
      ballot.uncommitted.set(node, (ballot.uncommitted.get(node) ?? 0) + 1);
      this.ballotOfCommit.set(command, ballot);
    } else if (kind === this.release) end(this.ballotOfValue.get(value), timeUs);
  }

  visitExecuted(): void {
    // What counts is what reaches the client.
  }

  visitReceived(_index: number, timeUs: number, command: number, _client: number, node: number, reply: number): void {
    if (reply === this.committed) {
      const { uncommitted } = this.ballotOfCommit.get(command) ?? {};
      uncommitted?.set(node, (uncommitted.get(node) ?? 0) - 1);
    }
    const ballot = this.ballotOfCommand.get(command);
    if (ballot === undefined || ballot.endedUs <= timeUs) return;
    const { tally } = ballot;
    const isFor = reply === this.granted;
    tally.count(node, isFor ? 'for' : this.missing.has(reply) ? 'missing' : 'against');
    if (isFor && tally.isCarried && timeUs < ballot.quorumUs) ballot.quorumUs = timeUs;
  }

  visitOther(_index: number, event: HistoryEvent): void {
    switch (event.type) {
      case 'acquire-invoked':
        this.invoked.set(event.operation, event);
        break;
      case 'attempt-started': {
        const { client, operation, value, timeUs } = event;
        const invoked = this.invoked.get(operation);
        const resourceCount = invoked?.resources?.length ?? 1;
        end(this.current.get(operation), timeUs);
        const ballot: Ballot = {
          client,
          operation,
          startedUs: timeUs,
          invokedUs: invoked?.timeUs ?? timeUs,
          ttlMs: invoked?.ttlMs ?? this.scenario.settings.ttl,
          plans: invoked === undefined ? [] : this.plans.of(invoked),
          resourceCount,
          tally: new Tally(this.scenario.settings.nodes, resourceCount, this.quorum),
          asked: 0,
          uncommitted: new Map(),
          quorumUs: Number.POSITIVE_INFINITY,
          endedUs: Number.POSITIVE_INFINITY,
          isTokenCarried: false,
          outcome: null,
        };
        this.ballots.push(ballot);
        this.current.set(operation, ballot);
        this.ballotOfValue.set(this.log.placeOf(value), ballot);
        break;
      }
      case 'acquire-granted':
      case 'acquire-failed': {
        const ballot = this.current.get(event.operation);
        if (ballot === undefined) break;
        end(ballot, event.timeUs);
        ballot.outcome = event;
        ballot.isTokenCarried = ballot.tally.isCarriedWithout((node) => (ballot.uncommitted.get(node) ?? 0) > 0);
        if (event.type === 'acquire-granted') this.checkValidity(ballot, event);
        break;
      }
      default:
    }
  }

  voteFlaw(): string | null {
    const { nodes } = this.scenario.settings;
    for (const ballot of this.ballots) {
      const { client, operation, startedUs, asked, resourceCount } = ballot;
      if (asked !== nodes * resourceCount) {
        const what = resourceCount === 1 ? '' : `, with ${resourceCount} resources to ask each for`;
        return `The attempt of acquire ${operation} that ${client} began at ${formatTimeUs(startedUs)} asked ${asked / resourceCount} of ${nodes} nodes${what}.`;
      }
      const why = this.flawOf(ballot);
      if (why !== null) return describe(ballot, nodes, why);
    }
    return null;
  }

  /** Why the vote should have ended otherwise. */
  private flawOf(ballot: Ballot): string | null {
    const { tally, outcome } = ballot;
    if (outcome?.type === 'acquire-granted') {
      if (!tally.isCarried) return 'although they are no quorum';
      return ballot.isTokenCarried ? null : 'although too few of them have its token to be a quorum';
    }
    if (outcome?.code === 'aborted' || ballot.endedUs === Number.POSITIVE_INFINITY) return null;
    if (tally.isCarried) {
      if (this.scenario.settings.fencing) return null;
      if (ballot.quorumUs - ballot.startedUs < usefulUs(this.scenario, ballot.ttlMs)) {
        return 'although they are a quorum, in time';
      }
    } else if (!tally.isLost && !this.isTimeUp(ballot)) {
      return 'although the others could still have made it a quorum, and had time left';
    }
    const code = tally.isCarried ? 'expired' : tally.lacksQuorum() ? 'unreachable' : 'contended';
    if (outcome === null || outcome.code === code) return null;
    return `which makes it ${code}, and not ${outcome.code}`;
  }

  private isTimeUp({ invokedUs, startedUs, endedUs, ttlMs, plans }: Ballot): boolean {
    if (endedUs - startedUs >= shortestTimeoutUs(this.scenario, ttlMs)) return true;
    return plans.some(({ deadlineMs }) => endedUs - invokedUs >= this.bounds.earliestUs(deadlineMs));
  }

  private checkValidity({ client, operation, startedUs, ttlMs }: Ballot, { timeUs, validityMs }: AcquireGranted): void {
    if (this.scenario.clients[client]?.clock !== 'monotonic') return;
    const flaw = validityFlaw(this.scenario, this.bounds, { ttlMs, elapsedUs: timeUs - startedUs, validityMs });
    if (flaw === null) return;
    this.firstValidityFlaw ??= `The attempt of acquire ${operation} that ${client} began at ${formatTimeUs(startedUs)} ${flaw}.`;
  }
}

function end(ballot: Ballot | undefined, timeUs: number): void {
  if (ballot !== undefined && timeUs < ballot.endedUs) ballot.endedUs = timeUs;
}

function describe({ client, operation, startedUs, tally, outcome }: Ballot, nodes: number, why: string): string {
  const ended = outcome?.type === 'acquire-granted' ? 'succeeded' : 'failed';
  return (
    `The attempt of acquire ${operation} that ${client} began at ${formatTimeUs(startedUs)} ${ended} with ${tally.forCount} of ${nodes} nodes for it ` +
    `and ${tally.againstCount} against it, ${why}.`
  );
}
