import type { History } from '../../history/history.ts';
import { formatTimeUs } from '../../text/duration-text.ts';
import { markup, type Markup } from '../markup.ts';
import type { Canvas } from './canvas.ts';
import { px } from './canvas.ts';
import { drawClientBars, drawKeys, drawNotes, drawShades } from './draw-bars.ts';
import { AXIS_PX, drawFrame, drawLaneNames, LABELS_WIDTH_PX } from './draw-frame.ts';
import { drawViolationBands, layFaults, layViolations, type ShownViolation } from './draw-header.ts';
import { drawMessages, drawWrites } from './draw-messages.ts';
import { placeOf } from './event-places.ts';
import { layLanes } from './lanes.ts';
import { drawLegend } from './legend.ts';
import type { ListedEvent, Story } from './story.ts';
import { readStory } from './story-reader.ts';
import { timeScaleOf } from './time-scale.ts';
import { spanOf } from './violation-spans.ts';
import { chooseWindow, type NumberedViolation, type Window } from './window.ts';

const PAGE_WIDTH_PX = 1_180;
const MOST_WIDTH_PX = 16_000;
const BOTTOM_AXIS_PX = 20;
/** More violations than these would hide what they mark. */
const MOST_SHOWN_VIOLATIONS = 6;
const MOST_BADGES = 12;

/** A space-time diagram, and what of the run it shows. */
export interface Diagram {
  readonly figure: Markup;
  /** Events worth a line of text, in order. */
  readonly listed: readonly ListedEvent[];
  /** Indexes of events that links can point to as `#event-<index>`. */
  readonly linkable: ReadonlySet<number>;
  /** By event index: the number that marks it in the diagram, as evidence. */
  readonly badges: ReadonlyMap<number, number>;
  /** The numbers of the violations that can be seen, as `#shown-<number>`. */
  readonly shownViolations: ReadonlySet<number>;
}

/** Draws the run: clients, nodes and the protected resource from top to bottom, time from left to right. */
export function drawDiagram(history: History, violations: readonly NumberedViolation[]): Diagram {
  const window = chooseWindow(history, violations);
  const proof = new Set(violations.flatMap(({ events }) => events));
  const story = readStory(history, window, proof);
  const shown = shownViolations(violations, history, story, window);
  const scale = timeScaleOf({
    fromUs: window.fromUs,
    untilUs: window.untilUs,
    momentsUs: story.momentsUs,
    flightsUs: flightsOf(story),
    pageWidthPx: PAGE_WIDTH_PX,
    mostWidthPx: MOST_WIDTH_PX,
  });
  const violationHeader = layViolations(shown, scale, AXIS_PX);
  const faultsTopPx = AXIS_PX + violationHeader.heightPx;
  const faultHeader = layFaults(story.faults, scale, faultsTopPx);
  const lanesTopPx = faultsTopPx + faultHeader.heightPx + 4;
  const important = new Set(story.listed.filter(({ index }) => proof.has(index)).flatMap(({ event }) => namesIn(event)));
  const canvas: Canvas = { window, story, scale, lanes: layLanes({ story, scale, topPx: lanesTopPx, important }) };
  const badges = new Map(evidenceOf(shown, window).map((index, place) => [index, place + 1]));
  const heightPx = canvas.lanes.bottomPx + BOTTOM_AXIS_PX;
  const spots = drawSpots(canvas, badges);
  const headers = [
    ...(shown.length === 0 ? [] : [{ name: 'violated', topPx: AXIS_PX }]),
    ...(story.faults.length === 0 ? [] : [{ name: 'faults', topPx: faultsTopPx }]),
  ];
  const drawing = markup`${drawFrame(canvas, lanesTopPx)}${drawViolationBands(shown, scale, AXIS_PX, canvas.lanes.bottomPx)}${drawShades(canvas)}${drawKeys(canvas)}${drawMessages(canvas)}${drawClientBars(canvas)}${drawWrites(canvas)}${drawNotes(canvas)}${faultHeader.drawing}${violationHeader.drawing}${spots.drawing}`;
  return {
    figure: figureOf(canvas, heightPx, drawLaneNames(canvas, headers), drawing),
    listed: story.listed,
    linkable: spots.linkable,
    badges,
    shownViolations: new Set(shown.map(({ violation }) => violation.number)),
  };
}

function figureOf(canvas: Canvas, heightPx: number, names: Markup, drawing: Markup): Markup {
  const { scale, window } = canvas;
  const words = windowText(window, canvas.lanes.leftOut);
  const isWide = scale.widthPx > PAGE_WIDTH_PX;
  return markup`<figure class="diagram">
<figcaption>${words}</figcaption>
${isWide ? markup`<label class="fit"><input type="checkbox"/> fit to the width of the page</label>` : null}
<div class="scroll" tabindex="0" role="region" aria-label="Space-time diagram, scrolls sideways">
<svg class="names" style="flex-grow:${LABELS_WIDTH_PX}" width="${LABELS_WIDTH_PX}" height="${px(heightPx)}" viewBox="0 0 ${LABELS_WIDTH_PX} ${px(heightPx)}" aria-hidden="true">${names}</svg>
<svg class="drawing" style="flex-grow:${px(scale.widthPx)}" width="${px(scale.widthPx)}" height="${px(heightPx)}" viewBox="0 0 ${px(scale.widthPx)} ${px(heightPx)}" role="group" aria-labelledby="diagram-title diagram-description">
<title id="diagram-title">Space-time diagram of the run</title>
<desc id="diagram-description">Time runs from left to right. From top to bottom: violations, faults, the protected resource, clients, nodes. Everything in it that matters is also in the list of events below. ${words}</desc>
${definitions()}${drawing}
</svg>
</div>
${drawLegend(canvas)}
</figure>`;
}

/** Says what is drawn, and what is not. */
function windowText(window: Window, leftOut: { readonly clients: number; readonly nodes: number }): string {
  const sentences: string[] = [];
  if (window.isWhole) sentences.push(`Shows the whole run, ${formatTimeUs(window.fromUs)} to ${formatTimeUs(window.untilUs)}.`);
  else {
    sentences.push(
      `Shows ${formatTimeUs(window.fromUs)} to ${formatTimeUs(window.untilUs)} of ${formatTimeUs(window.wholeUntilUs)}, ${window.choice} (events ${window.from} to ${window.to - 1}); the whole is in history.ndjson.`,
    );
  }
  sentences.push('Stretches in which nothing happens are drawn short.');
  if (leftOut.clients > 0) sentences.push(`${leftOut.clients} clients are left out.`);
  if (leftOut.nodes > 0) sentences.push(`${leftOut.nodes} nodes are left out.`);
  return sentences.join(' ');
}

function shownViolations(
  violations: readonly NumberedViolation[],
  history: History,
  story: Story,
  window: Window,
): readonly ShownViolation[] {
  const shown: ShownViolation[] = [];
  for (const violation of violations) {
    const span = spanOf(violation, history, story);
    if (span === null || span.untilUs < window.fromUs || span.fromUs > window.untilUs) continue;
    // Of each property the first, and then as many more as there is room for.
    shown.push({ violation, span });
  }
  const firsts = shown.filter(
    ({ violation }, index) => shown.findIndex((other) => other.violation.property === violation.property) === index,
  );
  const others = shown.filter((one) => !firsts.includes(one));
  return [...firsts, ...others]
    .slice(0, MOST_SHOWN_VIOLATIONS)
    .sort((left, right) => left.violation.number - right.violation.number);
}

/** The events that prove what is shown, in order. */
function evidenceOf(shown: readonly ShownViolation[], window: Window): readonly number[] {
  const indexes = new Set(shown.flatMap(({ violation }) => violation.events));
  return [...indexes]
    .filter((index) => index >= window.from && index < window.to)
    .sort((left, right) => left - right)
    .slice(0, MOST_BADGES);
}

/** What links point to: a ring around each listed event, seen when it is pointed to, and the numbers of evidence. */
function drawSpots(canvas: Canvas, badges: ReadonlyMap<number, number>): { drawing: Markup; linkable: ReadonlySet<number> } {
  const linkable = new Set<number>();
  const spots = canvas.story.listed.map(({ index, event }) => {
    const place = placeOf(event, canvas);
    if (place === null) return null;
    linkable.add(index);
    const number = badges.get(index);
    const [x, y] = [px(place.xPx), px(place.yPx)];
    const ring = markup`<circle class="spot" id="event-${index}" cx="${x}" cy="${y}" r="11"/>`;
    if (number === undefined) return ring;
    return markup`${ring}<a class="badge" href="#row-${index}" aria-label="Evidence ${number}"><circle cx="${x}" cy="${y}" r="7.5"/><text x="${x}" y="${px(place.yPx + 3.8)}">${number}</text></a>`;
  });
  return { drawing: markup`<g class="spots">${spots}</g>`, linkable };
}

function flightsOf(story: Story): readonly number[] {
  return story.messages.flatMap(({ sentUs, executedUs, receivedUs }) => [
    ...(sentUs !== null && executedUs !== null ? [executedUs - sentUs] : []),
    ...(executedUs !== null && receivedUs !== null ? [receivedUs - executedUs] : []),
  ]);
}

function namesIn(event: ListedEvent['event']): readonly string[] {
  return [...('client' in event ? [event.client] : []), ...('node' in event ? [event.node] : [])];
}

/** Patterns and arrow heads that the drawing refers to. */
function definitions(): Markup {
  return markup`<defs>
<pattern id="hatch-paused" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-paused" width="2.2" height="7"/></pattern>
<pattern id="hatch-bare" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)"><rect class="hatch-bare" width="2.4" height="6"/></pattern>
<marker id="head" viewBox="0 0 6 6" refX="5.4" refY="3" markerWidth="6" markerHeight="6" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 .6L6 3L0 5.4z" fill="context-stroke"/></marker>
</defs>`;
}
