import { formatMs, formatTimeUs } from '../../text/duration-text.ts';
import { markup, type Markup } from '../markup.ts';
import { clipText } from '../../text/visible-text.ts';
import { type Canvas, fittingText, px } from './canvas.ts';
import { LabelRow, textWidthPx } from './rows.ts';
import type { Story } from './story.ts';

export const LABELS_WIDTH_PX = 128;
export const AXIS_PX = 36;
const TICK_LABEL_PX = 66;
const TICK_LABEL_GAP_PX = 4;
const FONT_PX = 11;
const NAME_LENGTH = 16;

/** A row above the lanes: its name at the left. */
export interface HeaderRow {
  readonly name: string;
  readonly topPx: number;
}

/** Lane backgrounds, the lines of the time axis with their labels above and below, and the idle stretches. */
export function drawFrame({ scale, lanes }: Canvas, lanesTopPx: number): Markup {
  const backgrounds = lanes.lanes.map(
    (lane) =>
      markup`<rect class="lane ${lane.kind}" y="${px(lane.topPx)}" width="${px(scale.widthPx)}" height="${px(lane.heightPx)}"/>`,
  );
  const breaks = scale.breaks.map((gap) => {
    const fromPx = scale.x(gap.fromUs);
    const untilPx = scale.x(gap.untilUs);
    const middlePx = (fromPx + untilPx) / 2;
    const duration = formatMs((gap.untilUs - gap.fromUs) / 1000);
    const label = fittingText([`${duration} idle`, duration], untilPx - fromPx, 10);
    return markup`<g class="break"><title>Drawn short: nothing happens for ${duration}.</title><rect x="${px(fromPx)}" y="${AXIS_PX - 12}" width="${px(untilPx - fromPx)}" height="${px(lanes.bottomPx - AXIS_PX + 12)}"/>${
      label === null ? null : markup`<text x="${px(middlePx)}" y="${AXIS_PX - 3}">${label}</text>`
    }${zigzag(middlePx, lanesTopPx, lanes.bottomPx)}</g>`;
  });
  const labels = new LabelRow();
  const ticks = scale.ticksUs(TICK_LABEL_PX).map((timeUs) => {
    const x = scale.x(timeUs);
    const text = formatTimeUs(timeUs);
    const width = textWidthPx(text, FONT_PX);
    const centre = Math.min(Math.max(x, width / 2), scale.widthPx - width / 2);
    const hasRoom = labels.take({ fromPx: centre - width / 2, untilPx: centre + width / 2 + TICK_LABEL_GAP_PX });
    const label = hasRoom
      ? markup`<text x="${px(centre)}" y="14">${text}</text><text x="${px(centre)}" y="${px(lanes.bottomPx + 13)}">${text}</text>`
      : null;
    return markup`<g class="tick"><path d="M${px(x)} ${AXIS_PX - 18}V${px(lanes.bottomPx)}"/>${label}</g>`;
  });
  return markup`${backgrounds}${breaks}${ticks}`;
}

/** The names of lanes and rows, for the column at the left. */
export function drawLaneNames({ lanes, story }: Canvas, headers: readonly HeaderRow[]): Markup {
  const right = LABELS_WIDTH_PX - 8;
  const names = lanes.lanes.map((lane) => {
    const hasKind = lane.kind !== 'node';
    const y = lane.topPx + lane.heightPx / 2 + (hasKind ? 0 : 4);
    const colour = lane.kind === 'client' ? `c${lanes.colourOf(lane.name)}` : lane.kind;
    const kind = hasKind ? markup`<text class="kind" x="${right}" y="${px(y + 14)}">${lane.kind}</text>` : null;
    const name = lane.kind === 'resource' ? resourceName(story) : lane.name;
    return markup`<g class="${colour}"><title>${lane.kind} ${name}</title><text class="name ${lane.kind}" x="${right}" y="${px(y)}">${clipText(name, NAME_LENGTH)}</text>${kind}</g>`;
  });
  const rows = headers.map(
    ({ name, topPx }) => markup`<text class="kind" x="${right}" y="${px(topPx + 12)}">${name}</text>`,
  );
  return markup`<text class="kind" x="${right}" y="14">time</text>${rows}${names}`;
}

/** What the lock protects, by its name if there is only one. */
function resourceName(story: Story): string {
  const names = [...new Set(story.writes.map(({ resource }) => resource))];
  return names.length === 1 ? (names[0] ?? '') : `${names.length} names`;
}

/** The mark of a broken scale: a jagged line from top to bottom. */
function zigzag(xPx: number, topPx: number, bottomPx: number): Markup {
  const steps = Math.floor((bottomPx - topPx) / 6);
  return markup`<path d="M${px(xPx)} ${px(topPx)}${'l3 3l-3 3'.repeat(steps)}"/>`;
}
