import { formatMs, formatTimeUs } from '../../text/duration-text.ts';
import { replyText, shortName } from '../event-text.ts';
import { markup, type Markup } from '../markup.ts';
import { type Canvas, drawLabel, labelAt, px } from './canvas.ts';
import { crossMark } from './draw-bars.ts';
import { BAR_PX } from './lanes.ts';
import { LabelRow } from './rows.ts';
import type { Message, Write } from './story.ts';

interface Point {
  readonly x: number;
  readonly y: number;
}

/** How far from the server a message is drawn to be lost: near enough to be in nobody else's lane. */
const LOST_PX = 9;
/** How far along one that is still on its way when the window ends, or was when it began. */
const CUT_AT = 0.5;
/** Pixels to the right that a message seems to fly whose arrival is not known. */
const UNKNOWN_FLIGHT_PX = 16;
const LABEL_FONT_PX = 9.5;

/** Commands and replies between clients and nodes, as arrows. */
export function drawMessages(canvas: Canvas): Markup {
  const { story } = canvas;
  return markup`<g class="messages">${story.messages.map((message) => drawMessage(canvas, message))}${drawSendLabels(canvas)}</g>`;
}

/** Writes to the protected resource. */
export function drawWrites(canvas: Canvas): Markup {
  const row = new LabelRow();
  // What was refused is labelled first, and the rest where there is room.
  const byWeight = [...canvas.story.writes].sort(
    (left, right) => Number(left.accepted ?? true) - Number(right.accepted ?? true),
  );
  return markup`<g class="writes">${byWeight.map((write) => drawWrite(canvas, write, row))}</g>`;
}

function drawMessage({ scale, lanes }: Canvas, message: Message): Markup | null {
  const client = lanes.clientLane(message.client);
  const node = lanes.nodeLane(message.node);
  if (client === undefined || node === undefined) return null;
  const at = (timeUs: number, lane: { wirePx: number }): Point => ({ x: scale.x(timeUs), y: lane.wirePx });
  const sent = message.sentUs === null ? null : at(message.sentUs, client);
  const executed = message.executedUs === null ? null : at(message.executedUs, node);
  const received = message.receivedUs === null ? null : at(message.receivedUs, client);
  const parts: (Markup | null)[] = [];
  if (executed !== null) {
    parts.push(
      sent === null ? arrow('request', enteringFrom(executed, client), executed) : arrow('request', sent, executed),
    );
    if (message.lost?.direction === 'reply')
      parts.push(lostArrow('reply', executed, landing(executed, client), executed));
    else if (received === null) parts.push(cutArrow('reply', executed, landing(executed, client)));
    else parts.push(arrow('reply', executed, received));
    parts.push(
      markup`<circle class="${message.changed ? 'yes' : 'no'}" cx="${px(executed.x)}" cy="${px(executed.y)}" r="2.6"/>`,
    );
  } else if (sent !== null) {
    // Without a trace of its loss: a command that the node never ran although its reply is there was refused.
    const isGone = message.lost !== null || received !== null;
    const target = landing(sent, node);
    parts.push(isGone ? lostArrow('request', sent, target, target) : cutArrow('request', sent, target));
  } else if (received !== null && message.reply !== 'failed') {
    parts.push(arrow('reply', enteringFrom(received, node), received));
  }
  // The client's connection says that it broke, or was refused.
  if (received !== null && message.reply === 'failed') parts.push(crossMark(received.x, received.y - 5, 'failure'));
  return markup`<g class="message c${lanes.colourOf(message.client)}"><title>${messageTitle(message)}</title>${parts}</g>`;
}

function drawWrite({ scale, lanes }: Canvas, write: Write, row: LabelRow): Markup | null {
  const client = lanes.clientLane(write.client);
  const resource = lanes.resourceLane();
  if (client === undefined || resource === undefined) return null;
  const sent = write.sentUs === null ? null : { x: scale.x(write.sentUs), y: client.topPx + BAR_PX };
  const arrived = write.arrivedUs === null ? null : { x: scale.x(write.arrivedUs), y: resource.wirePx };
  const parts: (Markup | null)[] = [];
  if (arrived !== null) {
    parts.push(arrow('write', sent ?? enteringFrom(arrived, client), arrived));
    parts.push(
      write.accepted === true
        ? markup`<circle class="accepted" cx="${px(arrived.x)}" cy="${px(arrived.y)}" r="5"/>`
        : markup`<circle class="refused" cx="${px(arrived.x)}" cy="${px(arrived.y)}" r="5"/>${crossMark(arrived.x, arrived.y, 'refusal')}`,
    );
    const text = `${write.client}’s write ${write.accepted === true ? 'accepted' : 'refused: old token'}`;
    const label = labelAt(text, Math.max(2, arrived.x - 8), scale.widthPx - 2, 10.5);
    if (row.take(label)) parts.push(drawLabel(label, resource.wirePx - 11, 'write-label'));
  } else if (sent !== null) {
    const target = landing(sent, resource);
    parts.push(write.lost === null ? cutArrow('write', sent, target) : lostArrow('write', sent, target, target));
  }
  return markup`<g class="message c${lanes.colourOf(write.client)}"><title>${writeTitle(write)}</title>${parts}</g>`;
}

/** What a client sends, in words on its lane, where there is room. */
function drawSendLabels({ story, scale, lanes }: Canvas): Markup {
  const rows = new Map<string, LabelRow>();
  const seen = new Set<string>();
  const labels = story.messages.map((message) => {
    const lane = lanes.clientLane(message.client);
    if (lane === undefined || message.sentUs === null || message.kind === null) return null;
    const round = `${message.client}\n${message.sentUs}\n${message.kind}`;
    if (seen.has(round)) return null;
    seen.add(round);
    const row = rows.get(message.client) ?? new LabelRow();
    rows.set(message.client, row);
    const label = labelAt(message.kind, scale.x(message.sentUs) + 1, scale.widthPx - 2, LABEL_FONT_PX);
    return row.take(label) ? drawLabel(label, lane.wirePx - 3, 'send') : null;
  });
  return markup`${labels}`;
}

function arrow(className: string, from: Point, to: Point): Markup {
  return markup`<path class="${className}" d="${line(from, to)}"/>`;
}

function lostArrow(className: string, from: Point, to: Point, server: Point): Markup {
  const share = Math.min(0.5, LOST_PX / Math.abs(to.y - from.y));
  const end = between(from, to, server === from ? share : 1 - share);
  return markup`<path class="${className} cut" d="${line(from, end)}"/>${crossMark(end.x, end.y, 'lost')}`;
}

function cutArrow(className: string, from: Point, to: Point): Markup {
  return markup`<path class="${className} cut" d="${line(from, between(from, to, CUT_AT))}"/>`;
}

function line(from: Point, to: Point): string {
  return `M${px(from.x)} ${px(from.y)}L${px(to.x)} ${px(to.y)}`;
}

function between(from: Point, to: Point, share: number): Point {
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
}

/** Where a message would about arrive that leaves from `from`. */
function landing(from: Point, lane: { readonly wirePx: number }): Point {
  return { x: from.x + UNKNOWN_FLIGHT_PX, y: lane.wirePx };
}

/** Where a message comes into the window whose sending lies before it. */
function enteringFrom(to: Point, lane: { readonly wirePx: number }): Point {
  return between({ x: Math.max(0, to.x - UNKNOWN_FLIGHT_PX), y: lane.wirePx }, to, CUT_AT);
}

function messageTitle(message: Message): string {
  const parts = [`${message.kind ?? 'command'} of ${message.client} to ${message.node}`];
  if (message.sentUs !== null) parts.push(`sent ${formatTimeUs(message.sentUs)}`);
  if (message.executedUs !== null) {
    parts.push(`executed ${formatTimeUs(message.executedUs)}: ${replyText(message.reply ?? '')}`);
  }
  if (message.receivedUs !== null) {
    parts.push(
      `reply received ${formatTimeUs(message.receivedUs)}${message.executedUs === null ? `: ${replyText(message.reply ?? '')}` : ''}`,
    );
  }
  for (const { direction, byUs, fault } of message.delays)
    parts.push(`${direction} ${formatMs(byUs / 1000)} slower by fault ${fault}`);
  if (message.lost !== null) parts.push(lostText(message.lost));
  return parts.join('; ');
}

function writeTitle(write: Write): string {
  const token = write.token === null ? '' : ` with token ${write.token}`;
  const parts = [`write ${write.write} of ${write.client} to ${shortName(write.resource)}${token}`];
  if (write.sentUs !== null) parts.push(`sent ${formatTimeUs(write.sentUs)}`);
  if (write.arrivedUs !== null)
    parts.push(`${write.accepted === true ? 'accepted' : 'refused'} ${formatTimeUs(write.arrivedUs)}`);
  if (write.delayedByUs > 0) parts.push(`${formatMs(write.delayedByUs / 1000)} slower by a fault`);
  if (write.lost !== null) parts.push(lostText(write.lost));
  return parts.join('; ');
}

function lostText({ direction, timeUs, fault }: NonNullable<Message['lost']>): string {
  return `${direction} lost ${formatTimeUs(timeUs)}${fault === null ? '' : ` by fault ${fault}`}`;
}
