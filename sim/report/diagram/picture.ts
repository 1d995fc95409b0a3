import { formatTimeUs } from '../../text/duration-text.ts';
import { markup, type Markup } from '../markup.ts';
import { type Canvas, px } from './canvas.ts';
import { drawClientBars, drawKeys, drawNotes, drawShades } from './draw-bars.ts';
import { AXIS_PX, drawFrame, drawLaneNames, LABELS_WIDTH_PX } from './draw-frame.ts';
import { drawViolationBands, layFaults, layViolations, type ShownViolation } from './draw-header.ts';
import { drawMessages, drawWrites } from './draw-messages.ts';
import { MARK_RADIUS_PX, placeOf } from './event-places.ts';
import { layLanes } from './lanes.ts';
import { drawLegend, type Explained } from './legend.ts';
import type { Story } from './story.ts';
import type { TimeScale } from './time-scale.ts';

const BOTTOM_AXIS_PX = 20;

export interface PictureOptions {
  /** Tells the pictures of a page apart; begins every id in this one. */
  readonly id: 'story' | 'messages';
  readonly title: string;
  /** What it shows, in words. */
  readonly words: string;
  readonly story: Story;
  readonly scale: TimeScale;
  readonly violations: readonly ShownViolation[];
  readonly pageWidthPx: number;
  /** Names of clients and nodes that must not be left out. */
  readonly important: ReadonlySet<string>;
  /** By event index: the number that marks it as evidence. */
  readonly badges: ReadonlyMap<number, number>;
  /** The picture above this one, whose legend need not be repeated. */
  readonly above: Explained | null;
}

export interface Picture {
  readonly figure: Markup;
  /** Indexes of events that links can point to as `#<id>-<index>`. */
  readonly linkable: ReadonlySet<number>;
}

/** One space-time diagram: the resource, the clients and the nodes from top to bottom, time from left to right. */
export function drawPicture(options: PictureOptions): Picture {
  const { id, story, scale, violations, important, badges } = options;
  const violationHeader = layViolations(violations, scale, AXIS_PX, id);
  const faultsTopPx = AXIS_PX + violationHeader.heightPx;
  const faultHeader = layFaults(story.faults, scale, faultsTopPx);
  const lanesTopPx = faultsTopPx + faultHeader.heightPx + 4;
  const canvas: Canvas = { story, scale, lanes: layLanes({ story, topPx: lanesTopPx, important }) };
  const spots = drawSpots(canvas, badges, id);
  const headers = [
    ...(violations.length === 0 ? [] : [{ name: 'violated', topPx: AXIS_PX }]),
    ...(story.faults.length === 0 ? [] : [{ name: 'faults', topPx: faultsTopPx }]),
  ];
  const drawing = markup`${drawFrame(canvas, lanesTopPx)}${drawViolationBands(violations, scale, AXIS_PX, canvas.lanes.bottomPx)}
${drawShades(canvas)}
${drawKeys(canvas)}
${drawMessages(canvas)}
${drawClientBars(canvas)}
${drawWrites(canvas)}
${drawNotes(canvas)}
${faultHeader.drawing}${violationHeader.drawing}
${spots.drawing}`;
  return { figure: figureOf(options, canvas, drawLaneNames(canvas, headers), drawing), linkable: spots.linkable };
}

function figureOf(
  { id, title, words, pageWidthPx, above }: PictureOptions,
  canvas: Canvas,
  names: Markup,
  drawing: Markup,
): Markup {
  const { scale, lanes } = canvas;
  const heightPx = px(lanes.bottomPx + BOTTOM_AXIS_PX);
  const widthPx = px(scale.widthPx);
  const caption = `${words}${leftOutText(lanes.leftOut)}`;
  const fit = markup`<label class="fit"><input type="checkbox"/> fit to the width of the page</label>`;
  return markup`<figure class="diagram">
<figcaption><strong>${title}.</strong> ${caption}</figcaption>
${scale.widthPx > pageWidthPx ? fit : null}
<div class="scroll" tabindex="0" role="region" aria-label="${title}">
<svg class="names" style="flex-grow:${LABELS_WIDTH_PX}" width="${LABELS_WIDTH_PX}" height="${heightPx}" viewBox="0 0 ${LABELS_WIDTH_PX} ${heightPx}" aria-hidden="true">${names}</svg>
<svg class="drawing" style="flex-grow:${widthPx}" width="${widthPx}" height="${heightPx}" viewBox="0 0 ${widthPx} ${heightPx}" role="group" aria-labelledby="${id}-title ${id}-description">
<title id="${id}-title">${title}</title>
<desc id="${id}-description">Space-time diagram, ${formatTimeUs(scale.fromUs)} to ${formatTimeUs(scale.untilUs)} from left to right. From top to bottom: violations, faults, the protected resource, clients, nodes. What matters in it is also in the table of events below. ${caption}</desc>
${definitions()}
${drawing}
</svg>
</div>
${drawLegend(canvas, above)}
</figure>`;
}

function leftOutText({ clients, nodes }: Canvas['lanes']['leftOut']): string {
  const parts = [
    ...(clients > 0 ? [`${clients} ${clients === 1 ? 'client' : 'clients'}`] : []),
    ...(nodes > 0 ? [`${nodes} ${nodes === 1 ? 'node' : 'nodes'}`] : []),
  ];
  return parts.length === 0 ? '' : ` There is no room for ${parts.join(' and ')} more.`;
}

/** What links point to: a ring around each listed event, seen when it is pointed to, and the numbers of evidence. */
function drawSpots(
  canvas: Canvas,
  badges: ReadonlyMap<number, number>,
  id: string,
): { drawing: Markup; linkable: ReadonlySet<number> } {
  const linkable = new Set<number>();
  const spots = canvas.story.listed.map(({ index, event }) => {
    const place = placeOf(event, canvas);
    if (place === null) return null;
    linkable.add(index);
    const number = badges.get(index);
    const [x, y] = [px(place.xPx), px(place.yPx)];
    const ring = markup`<circle class="spot" id="${id}-${index}" cx="${x}" cy="${y}" r="11"/>`;
    if (number === undefined) return ring;
    return markup`${ring}<a class="badge" href="#row-${index}" aria-label="Evidence ${number}"><circle cx="${x}" cy="${y}" r="${MARK_RADIUS_PX}"/><text x="${x}" y="${px(place.yPx + 3.8)}">${number}</text></a>`;
  });
  return { drawing: markup`<g class="spots">${spots}</g>`, linkable };
}

/** Patterns and arrow heads that the drawing refers to. */
function definitions(): Markup {
  return markup`<defs>
<pattern id="hatch-paused" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-paused" width="2.2" height="7"/></pattern>
<pattern id="hatch-bare" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)"><rect class="hatch-bare-ground" width="6" height="6"/><rect class="hatch-bare" width="2.4" height="6"/></pattern>
<marker id="head" viewBox="0 0 6 6" refX="5.4" refY="3" markerWidth="6" markerHeight="6" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 .6L6 3L0 5.4z" fill="context-stroke"/></marker>
</defs>`;
}
