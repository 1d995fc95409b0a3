import type { CommandExecuted, HistoryEvent, WriteAccepted, WriteRefused } from '../../../history/event.ts';
import { eventsOf } from '../../../history/events-of.ts';
import { HistoryLog } from '../../../history/history-log.ts';
import type { History } from '../../../history/history.ts';
import { RESOURCE } from '../../../scenario/server-names.ts';
import type { WriteDecision } from '../../../workload/protected-resource.ts';
import { whatBefell, whatBefellWrite } from './disturbed-messages.ts';
import { errorOf, type Exchange, matchExecutions, type WriteExchange } from './exchange.ts';
import type { LinkDisturbances } from '../links/link-disturbances.ts';
import { pushTo } from '../multimap.ts';
import { settleTimes, type Observation, observationOf, takeOffLateness } from './observation.ts';

/** What is known of a run when it is over. */
export interface SeenHistory {
  /** What the run itself saw, in the order in which it heard of it. Executions are nobody's yet: their client is '', their command 0. */
  readonly run: History;
  /** What each client recorded, in order. */
  readonly clients: readonly History[];
  readonly disturbances: LinkDisturbances;
  /** By the number of the write: what the protected resource answered, where the answer came back. */
  readonly writeDecisions: ReadonlyMap<number, WriteDecision>;
  /** The error that it answered instead, in its own words. */
  readonly writeErrors: ReadonlyMap<number, string>;
}

export interface MergedHistory {
  readonly history: HistoryLog;
  readonly exchanges: readonly Exchange[];
  /** Executions of commands that no client has sent. */
  readonly unclaimed: readonly CommandExecuted[];
  readonly writes: readonly WriteExchange[];
}

/** An event and what decides its place: its time and, in one microsecond, first a request, then what servers do, then all that follows. */
interface Placed {
  readonly event: HistoryEvent;
  readonly rank: number;
}

const START = 0;
const REQUEST = 1;
const SERVER = 2;
const REST = 3;

/**
 * Makes one history of what clients, servers and the run itself have seen: in the order of true time, an execution between its request and
 * its reply, what a node did in the order in which it did it; and with the messages that were lost or slow, which nobody
 * saw but which follow from the rest.
 */
export function mergeHistory({ run, clients, disturbances, writeDecisions, writeErrors }: SeenHistory): MergedHistory {
  const placed: Placed[] = [];
  const exchanges = new Map<number, Exchange>();
  const writes = new Map<number, WriteExchange>();
  for (const event of clients.flatMap((client) => [...eventsOf(client)])) {
    if (event.type === 'command-sent') exchanges.set(event.command, { sent: event, execution: null, received: null });
    else if (event.type === 'write-sent') {
      const decision = writeDecisions.get(event.write) ?? null;
      writes.set(event.write, { sent: event, taken: null, decision, error: writeErrors.get(event.write) ?? null });
    } else if (event.type === 'reply-received') {
      const exchange = exchanges.get(event.command);
      if (exchange !== undefined) exchange.received = event;
    }
    placed.push({ event, rank: event.type === 'command-sent' || event.type === 'write-sent' ? REQUEST : REST });
  }
  const observations = new Map<string, Observation<HistoryEvent>[]>();
  const executions: Observation<CommandExecuted>[] = [];
  for (const event of eventsOf(run)) {
    const node = actingNode(event);
    if (node === null) {
      placed.push({ event, rank: event.type === 'run-started' ? START : REST });
      continue;
    }
    const observation = observationOf(event);
    pushTo(observations, node, observation);
    if (event.type === 'command-executed') executions.push(observation as Observation<CommandExecuted>);
    else if (event.type === 'write-accepted' || event.type === 'write-refused') {
      const write = writes.get(event.write);
      if (write === undefined) continue;
      observation.notBeforeUs = write.sent.timeUs;
      write.taken = observation as Observation<WriteAccepted | WriteRefused>;
    }
  }
  // Equal commands are told apart by their times too, and of those the others tell more.
  matchExecutions([...exchanges.values()], executions, { onlySure: true });
  for (const stream of observations.values()) takeOffLateness(stream);
  const unclaimed = new Set(matchExecutions([...exchanges.values()], executions));
  for (const stream of observations.values()) settleTimes(stream);
  const claims = new Map([...exchanges.values()].map((exchange) => [exchange.execution, exchange]));
  for (const observation of [...observations.values()].flat()) {
    const { event, timeUs } = observation;
    if (event.type === 'command-executed') {
      const exchange = claims.get(observation as Observation<CommandExecuted>);
      if (exchange === undefined) continue;
      const { command, client } = exchange.sent;
      // What a node refuses it does not do, whatever was concluded from its having begun.
      const refused = errorOf(exchange) === null ? null : { reply: 'failed', changed: false };
      placed.push({ event: { ...event, timeUs, command, client, ...refused }, rank: SERVER });
    } else if (!isRefusedWrite(event, writes)) {
      placed.push({ event: { ...event, timeUs } as HistoryEvent, rank: SERVER });
    }
  }
  for (const exchange of exchanges.values()) placed.push(...whatBefell(exchange, disturbances).map(follows));
  for (const write of writes.values()) placed.push(...whatBefellWrite(write, disturbances).map(follows));
  return {
    history: inOrder(placed),
    exchanges: [...exchanges.values()],
    unclaimed: [...unclaimed].map(({ event }) => event),
    writes: [...writes.values()],
  };
}

function isRefusedWrite(event: HistoryEvent, writes: ReadonlyMap<number, WriteExchange>): boolean {
  if (event.type !== 'write-accepted' && event.type !== 'write-refused') return false;
  return (writes.get(event.write)?.error ?? null) !== null;
}

/** The node, or the resource, that did this; null if nobody of them did. */
function actingNode(event: HistoryEvent): string | null {
  switch (event.type) {
    case 'command-executed':
    case 'key-lost':
      return event.node;
    case 'write-accepted':
    case 'write-refused':
      return RESOURCE;
    default:
      return null;
  }
}

function follows(event: HistoryEvent): Placed {
  return { event, rank: REST };
}

function inOrder(placed: Placed[]): HistoryLog {
  // What is equal keeps its order: that in which one process recorded it, or one node did it.
  placed.sort((one, other) => one.event.timeUs - other.event.timeUs || one.rank - other.rank);
  const history = new HistoryLog();
  for (const { event } of placed) history.record(event);
  return history;
}
