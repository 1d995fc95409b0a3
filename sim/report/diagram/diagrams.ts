import type { History } from '../../history/history.ts';
import { formatTimeUs } from '../../text/duration-text.ts';
import { markup, type Markup } from '../markup.ts';
import type { ShownViolation } from './draw-header.ts';
import { drawPicture, type PictureOptions } from './picture.ts';
import { type ListedEvent, mainMomentsUs, outlineOf, type Story } from './story.ts';
import { readStory } from './story-reader.ts';
import { messageScaleOf, storyScaleOf } from './time-scale.ts';
import { spanOf } from './violation-spans.ts';
import { chooseWindow, type NumberedViolation, type Window } from './window.ts';

const PAGE_WIDTH_PX = 1_180;
const MOST_WIDTH_PX = 16_000;
/** More violations than these would hide what they mark. */
const MOST_SHOWN_VIOLATIONS = 6;
const MOST_BADGES = 12;
/** Of the story at a glance: more moments than these do not fit on the page; so many of them stand before and after a violation. */
const MOST_STORY_MOMENTS = 60;
const STORY_MOMENTS_BEFORE = 14;
const STORY_MOMENTS_AFTER = 20;

/** The space-time diagrams of a run, and what of the run they show. */
export interface Diagrams {
  readonly figures: Markup;
  /** Events worth a line of text, in order. */
  readonly listed: readonly ListedEvent[];
  /** By event index: the id of what shows it. */
  readonly anchors: ReadonlyMap<number, string>;
  /** By event index: the number that marks it in the diagrams, as evidence. */
  readonly badges: ReadonlyMap<number, number>;
  /** By the number of a violation: the id of what shows it. */
  readonly violationAnchors: ReadonlyMap<number, string>;
}

/**
 * Draws the run. Where all messages fit on the page, one diagram shows them; else the first one tells the story without them,
 * and a wider one below it shows message by message.
 */
export function drawDiagrams(history: History, violations: readonly NumberedViolation[]): Diagrams {
  const window = chooseWindow(history, violations);
  const proof = new Set(violations.flatMap(({ events }) => events));
  const story = readStory(history, window, proof);
  const shown = shownViolations(violations, history, story, window);
  const badges = new Map(evidenceOf(shown, window).map((index, place) => [index, place + 1]));
  const important = new Set(
    story.listed.filter(({ index }) => proof.has(index)).flatMap(({ event }) => namesIn(event)),
  );
  const common = { violations: shown, pageWidthPx: PAGE_WIDTH_PX, important, badges, above: null };
  const scale = messageScaleOf({
    fromUs: window.fromUs,
    untilUs: window.untilUs,
    momentsUs: story.momentsUs,
    flightsUs: flightsOf(story),
    pageWidthPx: PAGE_WIDTH_PX,
    mostWidthPx: MOST_WIDTH_PX,
  });
  const detail: PictureOptions = {
    ...common,
    id: 'messages',
    title: 'Message by message',
    words: `${windowText(window)} True to scale where messages fly; stretches in which nothing happens are drawn short.`,
    story,
    scale,
  };
  const outline = scale.widthPx <= PAGE_WIDTH_PX ? null : outlinePicture(detail, window);
  const pictures = outline === null ? [detail] : [outline, { ...detail, above: outline }];
  const drawn = pictures.map((options) => ({ options, picture: drawPicture(options) }));
  // The first picture that shows something is the one to point to.
  const anchors = new Map<number, string>();
  const violationAnchors = new Map<number, string>();
  for (const { options, picture } of drawn) {
    for (const index of picture.linkable) if (!anchors.has(index)) anchors.set(index, `${options.id}-${index}`);
    for (const { violation } of options.violations) {
      if (!violationAnchors.has(violation.number))
        violationAnchors.set(violation.number, `${options.id}-violation-${violation.number}`);
    }
  }
  return {
    figures: markup`${drawn.map(({ picture }) => picture.figure)}`,
    listed: story.listed,
    anchors,
    badges,
    violationAnchors,
  };
}

/** The story without its messages, on one page: as much of it around the violations as fits. */
function outlinePicture(detail: PictureOptions, window: Window): PictureOptions {
  const { fromUs, untilUs } = chooseOutline(detail, window);
  const isWhole = fromUs === window.fromUs && untilUs === window.untilUs;
  const story = outlineOf(detail.story, fromUs, untilUs);
  return {
    ...detail,
    id: 'story',
    title: 'At a glance',
    words: `${isWhole ? windowText(window) : `Shows ${formatTimeUs(fromUs)} to ${formatTimeUs(untilUs)} of ${formatTimeUs(window.wholeUntilUs)}.`} Messages are left out here, and the axis shows the order of what happens rather than how long it takes.`,
    story,
    scale: storyScaleOf({
      fromUs,
      untilUs,
      momentsUs: mainMomentsUs(story, fromUs, untilUs),
      flightsUs: [],
      pageWidthPx: PAGE_WIDTH_PX,
    }),
    violations: detail.violations.filter(({ span }) => span.fromUs <= untilUs && span.untilUs >= fromUs),
  };
}

function chooseOutline({ story, violations }: PictureOptions, window: Window): { fromUs: number; untilUs: number } {
  const { fromUs, untilUs } = window;
  const moments = mainMomentsUs(story, fromUs, untilUs);
  if (moments.length <= MOST_STORY_MOMENTS) return { fromUs, untilUs };
  const evidence = violations[0]?.violation.events ?? [];
  const times = story.listed.filter(({ index }) => evidence.includes(index)).map(({ event }) => event.timeUs);
  const firstUs = times[0] ?? fromUs;
  const lastUs = Math.max(times.at(-1) ?? fromUs, Math.min(violations[0]?.span.untilUs ?? fromUs, untilUs));
  const last = Math.min(moments.length - 1, countBefore(moments, lastUs) + STORY_MOMENTS_AFTER);
  const first = Math.max(0, countBefore(moments, firstUs) - STORY_MOMENTS_BEFORE, last - MOST_STORY_MOMENTS);
  // Without a violation to look at, the beginning is as good as any stretch.
  const end = times.length === 0 ? Math.min(moments.length - 1, MOST_STORY_MOMENTS) : last;
  return { fromUs: moments[first] ?? fromUs, untilUs: moments[end] ?? untilUs };
}

function countBefore(moments: readonly number[], timeUs: number): number {
  const index = moments.findIndex((moment) => moment >= timeUs);
  return index === -1 ? moments.length : index;
}

/** Says which part of the run is shown. */
function windowText(window: Window): string {
  const span = `${formatTimeUs(window.fromUs)} to ${formatTimeUs(window.untilUs)}`;
  if (window.choice === 'whole') return `Shows the whole run, ${span}.`;
  return `Shows ${span} of ${formatTimeUs(window.wholeUntilUs)}, ${window.choice} (events ${window.from} to ${window.to - 1}); the whole is in history.ndjson.`;
}

/** Of each property the first violation that the window shows, and then as many more as there is room for. */
function shownViolations(
  violations: readonly NumberedViolation[],
  history: History,
  story: Story,
  window: Window,
): readonly ShownViolation[] {
  const visible: ShownViolation[] = [];
  for (const violation of violations) {
    const span = spanOf(violation, history, story);
    if (span !== null && span.untilUs >= window.fromUs && span.fromUs <= window.untilUs)
      visible.push({ violation, span });
  }
  const firsts = visible.filter(
    ({ violation }, index) => visible.findIndex((other) => other.violation.property === violation.property) === index,
  );
  const others = visible.filter((one) => !firsts.includes(one));
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

function flightsOf(story: Story): readonly number[] {
  return story.messages.flatMap(({ sentUs, executedUs, receivedUs }) => [
    ...(sentUs !== null && executedUs !== null ? [executedUs - sentUs] : []),
    ...(executedUs !== null && receivedUs !== null ? [receivedUs - executedUs] : []),
  ]);
}

function namesIn(event: ListedEvent['event']): readonly string[] {
  return [...('client' in event ? [event.client] : []), ...('node' in event ? [event.node] : [])];
}
