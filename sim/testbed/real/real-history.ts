import type { CommandExecuted, CommandSent, HistoryEvent, ReplyReceived, WriteSent } from '../../history/event.ts';
import { HistoryLog } from '../../history/history-log.ts';
import type { History } from '../../history/history.ts';
import { RESOURCE } from '../../faults/targets.ts';
import { commandName } from './command-matcher.ts';
import type { LinkFaults } from './link-faults.ts';

interface Exchange {
  readonly sent: CommandSent;
  executed: CommandExecuted | null;
  received: ReplyReceived | null;
}

/**
 * Makes one history of what clients, servers and the run itself have seen: in the order of true time, an execution between its
 * request and its reply, and with the messages that were lost or slow, which nobody saw but which follow from the rest.
 */
export function mergeHistory(seen: History, faults: LinkFaults): HistoryLog {
  const exchanges = new Map<number, Exchange>();
  const executions: CommandExecuted[] = [];
  const writes = new Map<number, WriteSent>();
  const events: HistoryEvent[] = [];
  for (let index = 0; index < seen.length; index += 1) {
    const event = seen.at(index);
    switch (event.type) {
      case 'command-sent':
        exchanges.set(event.command, { sent: event, executed: null, received: null });
        break;
      case 'command-executed':
        executions.push(event);
        continue;
      case 'reply-received': {
        const exchange = exchanges.get(event.command);
        if (exchange !== undefined) exchange.received = event;
        break;
      }
      case 'write-sent':
        writes.set(event.write, event);
        break;
      case 'write-accepted':
      case 'write-refused': {
        const sent = writes.get(event.write);
        writes.delete(event.write);
        if (sent !== undefined)
          events.push(...delaysOf(sent.client, RESOURCE, event.write, 'request', sent.timeUs, event.timeUs, faults));
        break;
      }
      default:
    }
    events.push(event);
  }
  matchExecutions([...exchanges.values()], executions);
  for (const exchange of exchanges.values()) events.push(...whatFollows(exchange, faults));
  for (const { write, client, timeUs } of writes.values()) {
    events.push(...lossOf(client, RESOURCE, write, 'request', timeUs, faults));
  }
  const ordered = events.map((event, sequence) => ({ event, sequence }));
  ordered.sort(
    (one, other) =>
      place(one.event) - place(other.event) ||
      one.event.timeUs - other.event.timeUs ||
      rank(one.event) - rank(other.event) ||
      one.sequence - other.sequence,
  );
  const history = new HistoryLog();
  for (const { event } of ordered) history.record(event);
  return history;
}

/**
 * Finds the request of each execution. Equal commands (a release that is sent again) are told apart by their replies: one that was answered
 * was run before its answer; what then is left belongs to the last request before it, for the ones before that were lost.
 */
function matchExecutions(exchanges: readonly Exchange[], executions: readonly CommandExecuted[]): void {
  const left = new Map<string, CommandExecuted[]>();
  for (const execution of executions) {
    const name = commandName(execution);
    left.set(name, [...(left.get(name) ?? []), execution]);
  }
  for (const exchange of exchanges) {
    if (wasAnswered(exchange)) take(exchange, left.get(commandName(exchange.sent)) ?? [], 0);
  }
  for (const exchange of exchanges.toReversed()) {
    if (!wasAnswered(exchange)) {
      const candidates = left.get(commandName(exchange.sent)) ?? [];
      take(
        exchange,
        candidates,
        candidates.findIndex(({ timeUs }) => timeUs >= exchange.sent.timeUs),
      );
    }
  }
}

function take(exchange: Exchange, candidates: CommandExecuted[], place: number): void {
  const [execution] = place < 0 ? [] : candidates.splice(place, 1);
  const { command, client } = exchange.sent;
  if (execution !== undefined) exchange.executed = { ...execution, command, client };
}

function wasAnswered({ received }: Exchange): boolean {
  return received !== null && received.reply !== 'failed';
}

/** The frame of the run stays at both ends. */
function place(event: HistoryEvent): number {
  if (event.type === 'run-started') return 0;
  return event.type === 'run-ended' ? 2 : 1;
}

/** Of events in one microsecond a request comes first, then what the server does with it, then all that follows. */
function rank(event: HistoryEvent): number {
  if (event.type === 'command-sent') return 0;
  return event.type === 'command-executed' ? 1 : 2;
}

function whatFollows({ sent, executed, received }: Exchange, faults: LinkFaults): HistoryEvent[] {
  const { client, node, command } = sent;
  const events: HistoryEvent[] = [];
  const arrivedUs = received?.timeUs ?? Number.POSITIVE_INFINITY;
  if (executed !== null) {
    // The run sees an execution a moment after it happened, but never after its reply.
    events.push({ ...executed, timeUs: Math.min(Math.max(executed.timeUs, sent.timeUs), arrivedUs) });
  }
  if (!wasAnswered({ sent, executed, received })) {
    const direction = executed === null ? 'request' : 'reply';
    return [...events, ...lossOf(client, node, command, direction, executed?.timeUs ?? sent.timeUs, faults)];
  }
  const ranUs = executed?.timeUs ?? sent.timeUs;
  return [
    ...events,
    ...delaysOf(client, node, command, 'request', sent.timeUs, ranUs, faults),
    ...delaysOf(client, node, command, 'reply', ranUs, arrivedUs, faults),
  ];
}

/** A message that set out at `fromUs` and never arrived, if a fault explains it. */
function lossOf(
  client: string,
  node: string,
  command: number,
  direction: 'request' | 'reply',
  fromUs: number,
  faults: LinkFaults,
): HistoryEvent[] {
  const cut = faults.find('cut', client, node, direction, fromUs, fromUs);
  if (cut === null) return [];
  return [{ type: 'message-lost', timeUs: fromUs, command, client, node, direction, fault: cut.fault }];
}

/** A message that was on its way from one moment to the other, if a fault slowed it. */
function delaysOf(
  client: string,
  node: string,
  command: number,
  direction: 'request' | 'reply',
  fromUs: number,
  untilUs: number,
  faults: LinkFaults,
): HistoryEvent[] {
  const slow = untilUs > fromUs ? faults.find('slow', client, node, direction, fromUs, fromUs) : null;
  if (slow === null) return [];
  const byUs = untilUs - fromUs;
  return [{ type: 'message-delayed', timeUs: fromUs, command, client, node, direction, byUs, fault: slow.fault }];
}
