import type { HistoryEvent, HistoryEventType } from '../history/event.ts';
import { formatMs, formatTimeUs } from '../text/duration-text.ts';
import { clipText } from '../text/visible-text.ts';

const NAME_LENGTH = 60;
const VALUE_LENGTH = 9;

/** What a fault, a reply or a cause is called, short enough for a label. */
export function shortName(name: string): string {
  return clipText(name, NAME_LENGTH);
}

/** Enough of a lock value to tell it from others. */
export function shortValue(value: string): string {
  return clipText(value, VALUE_LENGTH);
}

const CODE_SENTENCES: Readonly<Record<string, string>> = {
  contended: 'others held it on too many nodes',
  unreachable: 'too few nodes answered',
  expired: 'it came too late to leave any validity',
  aborted: 'the caller gave up',
};

/** Why an operation failed, in words if the code of the library's error is a known one. */
export function failureText(code: string): string {
  const sentence = CODE_SENTENCES[code];
  return sentence === undefined ? shortName(code) : `${code}: ${sentence}`;
}

const CAUSE_SENTENCES: Readonly<Record<string, string>> = {
  expired: 'its time to live is over',
  evicted: 'evicted under memory pressure',
  restart: 'gone after the restart',
  flush: 'the node was flushed',
  promotion: 'the promoted replica never had it',
};

const REPLY_SENTENCES: Readonly<Record<string, string>> = {
  held: 'held by another value',
  failed: 'the connection broke or was refused',
};

/** A reply kind, in words where the word alone says too little; `error` is what a server answered instead. */
export function replyText(reply: string, error?: string): string {
  const sentence = error ?? REPLY_SENTENCES[reply];
  return sentence === undefined ? shortName(reply) : `${reply} (${sentence})`;
}

/** How a clock changed: `+10 s`, `now at 1.01 times the true rate`. */
export function clockText(change: { readonly byMs: number; readonly rate: number }): string {
  const parts: string[] = [];
  if (change.byMs !== 0) parts.push(`${change.byMs > 0 ? '+' : '−'}${formatMs(Math.abs(change.byMs))}`);
  if (change.rate !== 1) parts.push(`runs at ${change.rate} times the true rate`);
  return parts.length === 0 ? 'back to the true rate' : parts.join(', ');
}

/** One sentence for people on what an event is. Names in it come from the history: escape it. */
export function eventText(event: HistoryEvent): string {
  switch (event.type) {
    case 'run-started':
      return `The run begins: ${event.clients.length} clients, ${event.nodes.length} nodes, a quorum of ${event.quorum}.`;
    case 'acquire-invoked':
      return `${event.client} asks for the lock on ${shortName(event.resource)}, time to live ${formatMs(event.ttlMs)}${event.phase === 'probe' ? ' (probe: is progress possible?)' : ''}.`;
    case 'attempt-started':
      return `${event.client} asks all nodes to store its value ${shortValue(event.value)}.`;
    case 'acquire-granted':
      return `${event.client} gets the lock on ${shortName(event.resource)}${tokenText(event.token)}, valid for ${formatMs(event.validityMs)}, that is until ${formatTimeUs(event.validUntilUs)}${event.attempts > 1 ? `, at attempt ${event.attempts}` : ''}.`;
    case 'acquire-failed':
      return `${event.client} does not get the lock on ${shortName(event.resource)} (${failureText(event.code)}).`;
    case 'extend-invoked':
      return `${event.client} asks to extend its lease to ${formatMs(event.ttlMs)} from now.`;
    case 'extend-granted':
      return `${event.client} extends its lease: valid for ${formatMs(event.validityMs)} more, until ${formatTimeUs(event.validUntilUs)}.`;
    case 'extend-failed':
      return `${event.client} cannot extend its lease (${failureText(event.code)}).`;
    case 'release-invoked':
      return `${event.client} gives the lock back.`;
    case 'release-done':
      return `A quorum confirms to ${event.client} that its value is gone.`;
    case 'release-failed':
      return `Too few nodes confirm the release to ${event.client} (${failureText(event.code)}).`;
    case 'section-entered':
      return `${event.client} enters the critical section of ${shortName(event.resource)}.`;
    case 'section-left':
      return `${event.client} leaves the critical section of ${shortName(event.resource)}.`;
    case 'write-sent':
      return `${event.client} sends write ${event.write} to ${shortName(event.resource)}${tokenText(event.token)}.`;
    case 'write-accepted':
      return `${shortName(event.resource)} accepts write ${event.write} of ${event.client}${tokenText(event.token)}.`;
    case 'write-refused':
      return `${shortName(event.resource)} refuses write ${event.write} of ${event.client}: token ${event.token ?? 'none'} is smaller than ${event.largestToken}, which it has seen.`;
    case 'command-sent':
      return `${event.client} sends ${event.kind} of ${shortName(event.key)} to ${event.node}.`;
    case 'command-executed':
      return `${event.node} runs ${event.kind} of ${shortName(event.key)} for ${event.client}: ${replyText(event.reply)}; ${keyText(event.before, event.changed)}.`;
    case 'reply-received':
      if (event.sent === false)
        return `${event.client} did not send it to ${event.node}: the connection is down or silent, or the node may not vote.`;
      return `${event.client} has the reply of ${event.node}: ${replyText(event.reply, event.error)}.`;
    case 'message-lost':
      return `The ${event.direction} ${event.direction === 'request' ? `of ${event.client} to ${event.node}` : `of ${event.node} to ${event.client}`} is lost${event.fault === null ? '' : ` (fault ${event.fault})`}.`;
    case 'message-delayed':
      return `The ${event.direction} between ${event.client} and ${event.node} takes ${formatMs(event.byUs / 1000)} longer (fault ${event.fault}).`;
    case 'key-lost':
      return `${event.node} no longer has the key ${shortName(event.key)}: ${CAUSE_SENTENCES[event.cause] ?? event.cause}.`;
    case 'fault-started':
      return `Fault ${event.fault} begins (${shortName(event.kind)}): ${event.description}.`;
    case 'fault-missed':
      return `Fault ${event.fault} (${shortName(event.kind)}) has no effect: ${missText(event.nodes)}.`;
    case 'fault-ended':
      return `Fault ${event.fault} is over.`;
    case 'node-crashed':
      return `${event.node} crashes.`;
    case 'node-restarted':
      return `${event.node} serves again, with ${event.keys === 0 ? 'no' : event.keys} lock ${event.keys === 1 ? 'key' : 'keys'} left.`;
    case 'node-paused':
      return `${event.node} stops: its process is paused.`;
    case 'node-resumed':
      return `${event.node} goes on.`;
    case 'node-clock-changed':
      return `The clock of ${event.node} changes: ${clockText(event)}. ${offsetText(event.offsetMs)}`;
    case 'client-paused':
      return `${event.client} stops: its process is paused, its clocks go on.`;
    case 'client-resumed':
      return `${event.client} goes on, and does not know that it was away.`;
    case 'client-clock-changed':
      return `The ${event.clock} clock of ${event.client} changes: ${clockText(event)}.`;
    case 'workload-ended':
      return 'The workload is over: what is left of faults is healed.';
    case 'healed':
      return 'All faults are healed and all clients run: from here on progress is demanded.';
    case 'run-ended':
      return event.reason === 'completed' ? 'The run ends.' : `The run ends early: ${event.reason}.`;
  }
}

/** Events so many, or so small, that a list of what mattered leaves them out unless they prove something. */
const MINOR_EVENTS: ReadonlySet<HistoryEventType> = new Set([
  'attempt-started',
  'command-sent',
  'command-executed',
  'reply-received',
  'message-delayed',
  'release-done',
  'extend-invoked',
]);

export function isMainEvent(event: HistoryEvent): boolean {
  return !MINOR_EVENTS.has(event.type);
}

function offsetText(offsetMs: number | null): string {
  if (offsetMs === null) return 'The node is down, and finds it so when it is back.';
  if (offsetMs === 0) return 'It is right now.';
  return `It is ${formatMs(Math.abs(offsetMs))} ${offsetMs > 0 ? 'ahead of' : 'behind'} the true time now.`;
}

function missText(nodes: readonly string[]): string {
  if (nodes.length === 0) return 'there is nobody that it is aimed at';
  return `${nodes.join(', ')} ${nodes.length === 1 ? 'does' : 'do'} not run`;
}

function tokenText(token: number | null): string {
  return token === null ? '' : ` with token ${token}`;
}

function keyText(before: string | null, changed: boolean): string {
  const earlier = before === null ? 'the key was free' : `the key held ${shortValue(before)}`;
  return changed ? `${earlier} and was changed` : `${earlier} and stayed so`;
}
