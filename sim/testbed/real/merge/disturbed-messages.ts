import type { HistoryEvent } from '../../../history/event.ts';
import { RESOURCE } from '../../../faults/targets.ts';
import type { LinkDisturbance, LinkDisturbances } from '../links/link-disturbances.ts';
import { type Exchange, wasAnswered, type WriteExchange } from './exchange.ts';

interface Message {
  readonly command: number;
  readonly client: string;
  readonly node: string;
}

/** The losses and delays of a command and its answer. */
export function whatBefell(exchange: Exchange, disturbances: LinkDisturbances): HistoryEvent[] {
  const { sent, execution, received } = exchange;
  const message = { command: sent.command, client: sent.client, node: sent.node };
  const arrivedUs = received?.timeUs ?? null;
  if (wasAnswered(exchange)) {
    const ranUs = execution?.timeUs ?? sent.timeUs;
    return [
      ...delayOf(message, 'request', sent.timeUs, ranUs, disturbances),
      ...delayOf(message, 'reply', ranUs, arrivedUs ?? ranUs, disturbances),
    ];
  }
  if (execution === null) return lossOfRequest(message, sent.timeUs, arrivedUs, disturbances);
  // A server that answers with an error loses nothing.
  if (execution.event.reply === 'failed') return [];
  return lossOfReply(message, { sentUs: sent.timeUs, ranUs: execution.timeUs, givenUpUs: arrivedUs }, disturbances);
}

/** The losses and delays of a write and its acknowledgement. */
export function whatBefellWrite(
  { sent: { write, client, timeUs }, taken, decision }: WriteExchange,
  disturbances: LinkDisturbances,
): HistoryEvent[] {
  const message = { command: write, client, node: RESOURCE };
  if (taken === null) return lossOfRequest(message, timeUs, null, disturbances);
  const way = { sentUs: timeUs, ranUs: taken.timeUs, givenUpUs: null };
  return [
    ...delayOf(message, 'request', timeUs, taken.timeUs, disturbances),
    ...(decision === null ? lossOfReply(message, way, disturbances) : []),
  ];
}

/** A request that never arrived, if something on its way explains it until its sender gave it up; null if it never did. */
function lossOfRequest(
  message: Message,
  sentUs: number,
  givenUpUs: number | null,
  disturbances: LinkDisturbances,
): HistoryEvent[] {
  const route = { client: message.client, server: message.node, direction: 'request' } as const;
  return lost(message, 'request', sentUs, disturbances.find('cut', route, sentUs, givenUpUs ?? sentUs));
}

/**
 * An answer that never arrived, if something explains it since its request was sent: what is cut once does not carry what the server answers later
 * on, for the connection on which it would is closed when it is not cut any more. Where the sender heard that the connection broke, what was
 * done to its requests may have broken it, too.
 */
function lossOfReply(
  message: Message,
  { sentUs, ranUs, givenUpUs }: { readonly sentUs: number; readonly ranUs: number; readonly givenUpUs: number | null },
  disturbances: LinkDisturbances,
): HistoryEvent[] {
  const route = { client: message.client, server: message.node };
  const onReplies = disturbances.find(
    'cut',
    { ...route, direction: 'reply' },
    sentUs,
    Math.max(ranUs, givenUpUs ?? ranUs),
  );
  const onRequests =
    givenUpUs === null ? null : disturbances.find('cut', { ...route, direction: 'request' }, sentUs, givenUpUs);
  return lost(message, 'reply', ranUs, onReplies ?? onRequests);
}

function lost(
  message: Message,
  direction: LinkDisturbance['direction'],
  timeUs: number,
  cut: LinkDisturbance | null,
): HistoryEvent[] {
  return cut === null ? [] : [{ type: 'message-lost', timeUs, ...message, direction, fault: cut.fault }];
}

/** A message that was on its way from one moment to the other, if a fault slowed it. */
function delayOf(
  message: Message,
  direction: LinkDisturbance['direction'],
  fromUs: number,
  untilUs: number,
  disturbances: LinkDisturbances,
): HistoryEvent[] {
  const route = { client: message.client, server: message.node, direction };
  const slow = untilUs > fromUs ? disturbances.find('slow', route, fromUs, fromUs) : null;
  if (slow === null || slow.fault === null) return [];
  const byUs = untilUs - fromUs;
  return [{ type: 'message-delayed', timeUs: fromUs, ...message, direction, byUs, fault: slow.fault }];
}
