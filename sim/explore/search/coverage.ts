import type { HistoryEvent } from '../../history/event.ts';
import { HistoryLog } from '../../history/history-log.ts';
import type { HistoryVisitor } from '../../history/history-visitor.ts';
import type { History } from '../../history/history.ts';
import { quorumOf } from '../../../src/quorum.ts';

/** What a client can be about when a fault begins, in the order in which a lock is taken and given back. */
export const PROTOCOL_PHASES = [
  'idle',
  'voting',
  'decided',
  'holding',
  'extending',
  'writing',
  'expiring',
  'overdue',
  'releasing',
] as const;
export type ProtocolPhase = (typeof PROTOCOL_PHASES)[number];

/** How often a fault of a kind began while some client was in a phase: by `kind phase`. */
export type Coverage = Record<string, number>;

/** The last tenth of a lock's validity. */
const EXPIRING_SHARE = 0.1;

export function addCoverage(sum: Coverage, more: Coverage): void {
  for (const [cell, count] of Object.entries(more)) sum[cell] = (sum[cell] ?? 0) + count;
}

/** In which phases of the protocol the faults of a run began. Each fault counts once for each phase that some client was in; idle counts if all were. */
export function coverageOf(history: History): Coverage {
  const log = HistoryLog.of(history);
  const reader = new CoverageReader(log);
  log.visit(reader);
  return reader.coverage;
}

/** What one client is about. */
interface ClientState {
  phase: ProtocolPhase;
  /** Of the attempt that is under way. */
  value: string;
  grants: number;
  grantedUs: number;
  validUntilUs: number;
}

class CoverageReader implements HistoryVisitor {
  readonly coverage: Coverage = {};
  private readonly log: HistoryLog;
  private readonly states = new Map<string, ClientState>();
  private readonly acquirePlace: number;
  private readonly grantedPlace: number;
  private quorum = 1;

  constructor(log: HistoryLog) {
    this.log = log;
    this.acquirePlace = log.placeOf('acquire');
    this.grantedPlace = log.placeOf('granted');
  }

  visitSent(): void {
    // What the library sends follows from what the client is about.
  }

  visitReceived(): void {
    // Only what nodes did decides a vote.
  }

  visitExecuted(
    _index: number,
    _timeUs: number,
    _command: number,
    client: number,
    _node: number,
    kind: number,
    reply: number,
    _key: number,
    value: number,
  ): void {
    if (kind !== this.acquirePlace || reply !== this.grantedPlace) return;
    const state = this.states.get(this.log.textOf(client));
    if (state?.phase !== 'voting' || this.log.textOf(value) !== state.value) return;
    state.grants += 1;
    if (state.grants >= this.quorum) state.phase = 'decided';
  }

  visitOther(_index: number, event: HistoryEvent): void {
    switch (event.type) {
      case 'run-started':
        this.quorum = quorumOf(event.nodes.length);
        for (const client of event.clients) {
          this.states.set(client, { phase: 'idle', value: '', grants: 0, grantedUs: 0, validUntilUs: 0 });
        }
        break;
      case 'attempt-started':
        Object.assign(this.stateOf(event.client), { phase: 'voting', value: event.value, grants: 0 });
        break;
      case 'acquire-granted':
      case 'extend-granted': {
        const { timeUs, validUntilUs } = event;
        Object.assign(this.stateOf(event.client), { phase: 'holding', grantedUs: timeUs, validUntilUs });
        break;
      }
      case 'extend-invoked':
        this.stateOf(event.client).phase = 'extending';
        break;
      case 'extend-failed': {
        // One that ends beside the release, or comes after it, is of no account.
        const state = this.stateOf(event.client);
        if (state.phase === 'extending') state.phase = 'holding';
        break;
      }
      case 'write-accepted':
      case 'write-refused':
        this.stateOf(event.client).phase = 'holding';
        break;
      case 'write-sent':
        this.stateOf(event.client).phase = 'writing';
        break;
      case 'release-invoked':
        this.stateOf(event.client).phase = 'releasing';
        break;
      case 'acquire-failed':
      case 'release-done':
      case 'release-failed':
        this.stateOf(event.client).phase = 'idle';
        break;
      case 'fault-started':
        this.count(event.kind, event.timeUs);
        break;
      default:
    }
  }

  private stateOf(client: string): ClientState {
    return this.states.get(client) as ClientState;
  }

  private count(kind: string, timeUs: number): void {
    const phases = new Set<ProtocolPhase>();
    for (const state of this.states.values()) phases.add(phaseAt(state, timeUs));
    if (phases.size > 1) phases.delete('idle');
    for (const phase of phases) {
      const cell = `${kind} ${phase}`;
      this.coverage[cell] = (this.coverage[cell] ?? 0) + 1;
    }
  }
}

function phaseAt({ phase, grantedUs, validUntilUs }: ClientState, timeUs: number): ProtocolPhase {
  if (phase !== 'holding') return phase;
  if (timeUs >= validUntilUs) return 'overdue';
  return validUntilUs - timeUs < (validUntilUs - grantedUs) * EXPIRING_SHARE ? 'expiring' : 'holding';
}
