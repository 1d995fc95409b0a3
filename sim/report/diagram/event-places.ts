import type { HistoryEvent } from '../../history/event.ts';
import type { Canvas } from './canvas.ts';
import { BAR_PX, NOTE_PX } from './lanes.ts';

export const MARK_RADIUS_PX = 7.5;

/** Where an event stands in the diagram; null if its lane is not drawn, or it has none. */
export function placeOf(
  event: HistoryEvent,
  { scale, lanes, story }: Canvas,
): { readonly xPx: number; readonly yPx: number } | null {
  const yPx = heightOf(event, lanes, story);
  if (yPx === undefined) return null;
  const xPx = scale.x(event.timeUs);
  // What begins a bar stands before it, so that the words in the bar can be read.
  const beginsBar = event.type === 'acquire-granted' || event.type === 'section-entered';
  return { xPx: beginsBar ? Math.max(MARK_RADIUS_PX, xPx - MARK_RADIUS_PX) : xPx, yPx };
}

function heightOf(event: HistoryEvent, lanes: Canvas['lanes'], story: Canvas['story']): number | undefined {
  switch (event.type) {
    case 'write-accepted':
    case 'write-refused':
      return lanes.resourceLane()?.wirePx;
    case 'section-entered':
    case 'section-left': {
      const section = story.sections.find(({ lease }) => lease === event.lease);
      const topPx = section === undefined ? undefined : lanes.sectionTopPx(section);
      return topPx === undefined ? undefined : topPx + BAR_PX / 2;
    }
    case 'command-executed':
    case 'key-lost':
    case 'node-crashed':
    case 'node-restarted':
    case 'node-paused':
    case 'node-resumed':
    case 'node-clock-changed':
      return lanes.nodeLane(event.node)?.wirePx;
    case 'message-lost':
    case 'command-sent':
    case 'reply-received':
    case 'message-delayed':
      return lanes.clientLane(event.client)?.wirePx;
    default: {
      const lane = 'client' in event ? lanes.clientLane(event.client) : undefined;
      return lane === undefined ? undefined : lane.topPx + NOTE_PX + BAR_PX / 2;
    }
  }
}
