import type { HistoryEvent } from '../../../history/event.ts';
import { RESOURCE } from '../../../scenario/server-names.ts';
import type { LinkDisturbance, LinkDisturbances } from '../links/link-disturbances.ts';
import { type Exchange, mayBeSent, wasAnswered, type WriteExchange } from './exchange.ts';

interface Message {
  readonly command: number;
  readonly client: string;
  readonly node: string;
}

/** The losses and delays of a command and its answer: none of one that its own client never sent. */
export function whatBefell(exchange: Exchange, disturbances: LinkDisturbances): HistoryEvent[] {
  if (!mayBeSent(exchange)) return [];
  const { sent, execution, received } = exchange;
  const message = { command: sent.command, client: sent.client, node: sent.node };
  const arrivedUs = received?.timeUs ?? null;
  if (wasAnswered(exchange)) {
    const ranUs = execution?.timeUs ?? sent.timeUs;
    return [
      ...delayOfRequest(message, sent.timeUs, ranUs, disturbances),
      ...delayOfReply(message, { sentUs: sent.timeUs, ranUs, arrivedUs: arrivedUs ?? ranUs }, disturbances),
    ];
  }
  if (execution === null) return lossOfRequest(message, sent.timeUs, arrivedUs, disturbances);
  return lossOfReply(message, { sentUs: sent.timeUs, ranUs: execution.timeUs, givenUpUs: arrivedUs }, disturbances);
}

/** The losses and delays of a write and its acknowledgement. */
export function whatBefellWrite(
  { sent: { write, client, timeUs }, taken, decision, error }: WriteExchange,
  disturbances: LinkDisturbances,
): HistoryEvent[] {
  const message = { command: write, client, node: RESOURCE };
  if (error !== null) return [];
  if (taken === null) return lossOfRequest(message, timeUs, null, disturbances);
  const way = { sentUs: timeUs, ranUs: taken.timeUs, givenUpUs: null };
  return [
    ...delayOfRequest(message, timeUs, taken.timeUs, disturbances),
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
  return lost(message, 'request', sentUs, cutSince(sentUs, givenUpUs ?? sentUs, givenUpUs, route, disturbances));
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
  const untilUs = Math.max(ranUs, givenUpUs ?? ranUs);
  const onReplies = cutSince(sentUs, untilUs, givenUpUs, { ...route, direction: 'reply' }, disturbances);
  const onRequests =
    givenUpUs === null
      ? null
      : cutSince(sentUs, givenUpUs, givenUpUs, { ...route, direction: 'request' }, disturbances);
  return lost(message, 'reply', ranUs, onReplies ?? onRequests);
}

/** What cut the route between the two moments. A connection that broke before that was in force broke of something else. */
function cutSince(
  fromUs: number,
  untilUs: number,
  brokenUs: number | null,
  route: Parameters<LinkDisturbances['find']>[1],
  disturbances: LinkDisturbances,
): LinkDisturbance | null {
  return disturbances.find('cut', route, fromUs, untilUs, brokenUs ?? Number.POSITIVE_INFINITY);
}

function lost(
  message: Message,
  direction: LinkDisturbance['direction'],
  timeUs: number,
  cut: LinkDisturbance | null,
): HistoryEvent[] {
  return cut === null ? [] : [{ type: 'message-lost', timeUs, ...message, direction, fault: cut.fault }];
}

/** A request that a fault slowed: it was on its way for as long as the fault makes every message be, at the least. A shorter way shows no fault at work. */
function delayOfRequest(
  message: Message,
  sentUs: number,
  ranUs: number,
  disturbances: LinkDisturbances,
): HistoryEvent[] {
  const slow = slowAt(message, 'request', sentUs, disturbances);
  return slow !== null && ranUs - sentUs >= slow.leastDelayUs
    ? delayed(message, 'request', sentUs, ranUs - sentUs, slow)
    : [];
}

/**
 * A reply that a fault slowed. Since news of executions comes late, but never early, the whole round trip tells: it must have room for the
 * least delays of both ways.
 */
function delayOfReply(
  message: Message,
  { sentUs, ranUs, arrivedUs }: { readonly sentUs: number; readonly ranUs: number; readonly arrivedUs: number },
  disturbances: LinkDisturbances,
): HistoryEvent[] {
  const slow = slowAt(message, 'reply', ranUs, disturbances);
  if (slow === null) return [];
  const ofRequestUs = slowAt(message, 'request', sentUs, disturbances)?.leastDelayUs ?? 0;
  if (arrivedUs - sentUs < ofRequestUs + slow.leastDelayUs) return [];
  return delayed(message, 'reply', ranUs, Math.max(arrivedUs - ranUs, slow.leastDelayUs), slow);
}

/** What slowed the messages of this direction at a moment, if it surely did: what may delay by nothing shows in no message. */
function slowAt(
  message: Message,
  direction: LinkDisturbance['direction'],
  timeUs: number,
  disturbances: LinkDisturbances,
): LinkDisturbance | null {
  const route = { client: message.client, server: message.node, direction };
  const slow = disturbances.find('slow', route, timeUs, timeUs);
  return slow === null || slow.leastDelayUs <= 0 ? null : slow;
}

function delayed(
  message: Message,
  direction: LinkDisturbance['direction'],
  timeUs: number,
  byUs: number,
  { fault }: LinkDisturbance,
): HistoryEvent[] {
  return fault === null ? [] : [{ type: 'message-delayed', timeUs, ...message, direction, byUs, fault }];
}
