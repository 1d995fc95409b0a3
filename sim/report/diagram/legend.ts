import { markup, type Markup } from '../markup.ts';
import type { Story } from './story.ts';
import type { TimeScale } from './time-scale.ts';

interface LegendEntry {
  readonly isShown: boolean;
  readonly drawing: Markup;
  readonly words: string;
}

/** What a legend is for. */
export interface Explained {
  readonly story: Story;
  readonly scale: TimeScale;
}

/** Explains the marks of a diagram, but for those that the one above it has explained. */
export function drawLegend(explained: Explained, above: Explained | null): Markup | null {
  const known = new Set((above === null ? [] : entriesOf(above)).map(({ words }) => words));
  const entries = entriesOf(explained).filter(({ words }) => !known.has(words));
  if (entries.length === 0) return null;
  return markup`<ul class="legend" aria-label="Legend">${entries.map(
    ({ drawing, words }) =>
      markup`<li><svg width="30" height="16" viewBox="0 0 30 16" class="c0" aria-hidden="true">${drawing}</svg> ${words}</li>`,
  )}</ul>`;
}

function entriesOf({ story, scale }: Explained): readonly LegendEntry[] {
  const endOf = new Map(story.leases.map((lease) => [lease.lease, lease.untilUs]));
  const entries: readonly LegendEntry[] = [
    {
      isShown: story.waits.length > 0,
      drawing: markup`<path class="wait" d="M1 8H29"/>`,
      words: 'waits for the lock',
    },
    {
      isShown: story.leases.length > 0,
      drawing: markup`<rect class="lease" x="1" y="2" width="24" height="12"/><path class="stop" d="M25 0v16"/>`,
      words: 'lease: its holder may believe in it up to the end; a thick end means that it ran out',
    },
    {
      isShown: story.leases.some(({ extendedUs }) => extendedUs.length > 0),
      drawing: markup`<rect class="lease" x="1" y="2" width="28" height="12"/><path class="extension" d="M15 2v12"/>`,
      words: 'lease extended',
    },
    {
      isShown: story.sections.length > 0,
      drawing: markup`<rect class="section" x="1" y="1" width="28" height="14"/>`,
      words: 'in the critical section',
    },
    {
      isShown: story.sections.some(({ lease, untilUs }) => (endOf.get(lease) ?? Infinity) < untilUs),
      drawing: markup`<rect class="bare" x="1" y="1" width="28" height="14"/>`,
      words: 'still in it, without a lease',
    },
    {
      isShown: story.keys.length > 0,
      drawing: markup`<rect class="key" x="1" y="3" width="28" height="10"/>`,
      words: 'the node holds that client’s key',
    },
    {
      isShown: story.messages.length > 0,
      drawing: markup`<path class="request" d="M1 2L14 14"/><circle class="yes" cx="14" cy="13" r="2.6"/><path class="reply" d="M15 14L28 2"/>`,
      words: 'command and reply; a full dot: it changed the key, a hollow one: it did not',
    },
    {
      isShown: story.messages.some(({ lost }) => lost !== null) || story.writes.some(({ lost }) => lost !== null),
      drawing: markup`<path class="request cut" d="M1 2L16 10"/><path class="lost" d="M14 7l6 6m0 -6l-6 6"/>`,
      words: 'lost',
    },
    {
      isShown: story.messages.some(({ reply }) => reply === 'failed'),
      drawing: markup`<path class="failure" d="M12 5l6 6m0 -6l-6 6"/>`,
      words: 'the client learns that its connection broke',
    },
    {
      isShown: story.writes.some(({ accepted }) => accepted === true),
      drawing: markup`<circle class="accepted" cx="15" cy="8" r="5"/>`,
      words: 'write accepted by the resource',
    },
    {
      isShown: story.writes.some(({ accepted }) => accepted === false),
      drawing: markup`<circle class="refused" cx="15" cy="8" r="5"/><path class="refusal" d="M12 5l6 6m0 -6l-6 6"/>`,
      words: 'write refused: its token is too old',
    },
    {
      isShown: story.standstills.some(({ kind }) => kind === 'paused'),
      drawing: markup`<rect class="paused" x="1" y="1" width="28" height="14"/>`,
      words: 'paused: no code runs, clocks go on',
    },
    {
      isShown: story.standstills.some(({ kind }) => kind === 'down'),
      drawing: markup`<rect class="down" x="1" y="1" width="28" height="14"/>`,
      words: 'down',
    },
    {
      isShown: story.faults.length > 0,
      drawing: markup`<rect class="fault-bar" x="1" y="1" width="28" height="14"/>`,
      words: 'a fault is at work',
    },
    {
      isShown: scale.breaks.length > 0,
      drawing: markup`<g class="break"><rect x="1" y="0" width="28" height="16"/><path d="M15 0l3 4l-3 4l3 4l-3 4"/></g>`,
      words: 'idle time, drawn short',
    },
  ];
  return entries.filter(({ isShown }) => isShown);
}
