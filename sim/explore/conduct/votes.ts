import type { HistoryEvent } from '../../history/event.ts';
import { HistoryLog } from '../../history/history-log.ts';
import type { HistoryVisitor } from '../../history/history-visitor.ts';
import type { History } from '../../history/history.ts';
import { quorumOf } from '../../../src/quorum.ts';
import type { Scenario } from '../../scenario/schema.ts';
import { formatTimeUs } from '../../text/duration-text.ts';
import { shortestTimeoutUs, usefulUs } from './call-times.ts';

/**
 * An attempt asks every node, for each resource. One that a quorum grants while there is validity left succeeds; it fails no sooner than so many nodes have denied it, or broken down, that no
 * quorum is left, or the time of the nodes is up. Broken by an attempt that goes otherwise. Where tokens had to be committed, a quorum of
 * grants is not yet a lock.
 */
export function voteFlaw(scenario: Scenario, history: History): string | null {
  const log = HistoryLog.of(history);
  const reader = new BallotReader(log, scenario);
  log.visit(reader);
  return reader.flaw();
}

const DENIED = -1;

/** The vote on one attempt, as its client sees it. */
interface Ballot {
  readonly client: string;
  readonly operation: number;
  readonly startedUs: number;
  readonly ttlMs: number;
  /** How many resources a node must grant to have granted the lock. */
  readonly resourceCount: number;
  /** How many it has granted, by the place of its name; DENIED once it did not grant one. */
  readonly nodes: Map<number, number>;
  /** Commands that were sent. */
  asked: number;
  granted: number;
  denied: number;
  /** When the quorum was complete. */
  quorumUs: number;
  /** When the library was done with it; Infinity while it is open. */
  endedUs: number;
  /** Whether it ended in a lock, or was given up by its caller: nothing to blame anybody for. */
  isExcused: boolean;
}

class BallotReader implements HistoryVisitor {
  private readonly log: HistoryLog;
  private readonly scenario: Scenario;
  private readonly quorum: number;
  private readonly acquire: number;
  private readonly release: number;
  private readonly granted: number;
  private readonly ballots: Ballot[] = [];
  /** The last of each acquire, by its operation. */
  private readonly current = new Map<number, Ballot>();
  private readonly ttlsMs = new Map<number, number>();
  private readonly resourceCounts = new Map<number, number>();
  private readonly ballotOfValue = new Map<number, Ballot>();
  private readonly ballotOfCommand = new Map<number, Ballot>();

  constructor(log: HistoryLog, scenario: Scenario) {
    this.log = log;
    this.scenario = scenario;
    this.quorum = quorumOf(scenario.settings.nodes);
    this.acquire = log.placeOf('acquire');
    this.release = log.placeOf('release');
    this.granted = log.placeOf('granted');
  }

  visitSent(
    _index: number,
    timeUs: number,
    command: number,
    _client: number,
    _node: number,
    kind: number,
    _key: number,
    value: number,
  ): void {
    if (kind === this.acquire) {
      const ballot = this.ballotOfValue.get(value);
      if (ballot === undefined) return;
      ballot.asked += 1;
      this.ballotOfCommand.set(command, ballot);
    } else if (kind === this.release) end(this.ballotOfValue.get(value), timeUs);
  }

  visitExecuted(): void {
    // What counts is what reaches the client.
  }

  visitReceived(_index: number, timeUs: number, command: number, _client: number, node: number, reply: number): void {
    const ballot = this.ballotOfCommand.get(command);
    if (ballot === undefined || ballot.endedUs <= timeUs) return;
    const parts = ballot.nodes.get(node) ?? 0;
    if (parts === DENIED) return;
    if (reply !== this.granted) {
      ballot.nodes.set(node, DENIED);
      ballot.denied += 1;
      return;
    }
    ballot.nodes.set(node, parts + 1);
    if (parts + 1 < ballot.resourceCount) return;
    ballot.granted += 1;
    if (ballot.granted === this.quorum) ballot.quorumUs = timeUs;
  }

  visitOther(_index: number, event: HistoryEvent): void {
    switch (event.type) {
      case 'acquire-invoked':
        this.ttlsMs.set(event.operation, event.ttlMs);
        this.resourceCounts.set(event.operation, event.resources?.length ?? 1);
        break;
      case 'attempt-started': {
        const { client, operation, value, timeUs } = event;
        end(this.current.get(operation), timeUs);
        const ballot: Ballot = {
          client,
          operation,
          startedUs: timeUs,
          ttlMs: this.ttlsMs.get(operation) ?? this.scenario.settings.ttl,
          resourceCount: this.resourceCounts.get(operation) ?? 1,
          nodes: new Map(),
          asked: 0,
          granted: 0,
          denied: 0,
          quorumUs: Number.POSITIVE_INFINITY,
          endedUs: Number.POSITIVE_INFINITY,
          isExcused: false,
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
        ballot.isExcused = event.type === 'acquire-granted' || event.code === 'aborted';
        break;
      }
      default:
    }
  }

  flaw(): string | null {
    const { fencing, nodes } = this.scenario.settings;
    for (const ballot of this.ballots) {
      const { client, operation, startedUs, asked, resourceCount } = ballot;
      if (asked !== nodes * resourceCount) {
        const what = resourceCount === 1 ? '' : `, with ${resourceCount} resources to ask each for`;
        return `The attempt of acquire ${operation} that ${client} began at ${formatTimeUs(startedUs)} asked ${asked / resourceCount} of ${nodes} nodes${what}.`;
      }
      if (ballot.isExcused || ballot.endedUs === Number.POSITIVE_INFINITY) continue;
      if (ballot.granted >= this.quorum) {
        if (!fencing && ballot.quorumUs - ballot.startedUs < usefulUs(this.scenario, ballot.ttlMs)) {
          return describe(ballot, nodes, 'although they are a quorum, in time');
        }
        continue;
      }
      const isTimeUp = ballot.endedUs - ballot.startedUs >= shortestTimeoutUs(this.scenario, ballot.ttlMs);
      if (!isTimeUp && ballot.denied <= nodes - this.quorum) {
        return describe(ballot, nodes, 'although the others could still have made it a quorum, and had time left');
      }
    }
    return null;
  }
}

function end(ballot: Ballot | undefined, timeUs: number): void {
  if (ballot !== undefined && timeUs < ballot.endedUs) ballot.endedUs = timeUs;
}

function describe({ client, operation, startedUs, granted, denied }: Ballot, nodes: number, why: string): string {
  return (
    `The attempt of acquire ${operation} that ${client} began at ${formatTimeUs(startedUs)} failed with ${granted} of ${nodes} nodes for it ` +
    `and ${denied} against it, ${why}.`
  );
}
