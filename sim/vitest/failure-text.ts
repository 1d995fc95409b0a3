import type { PropertyVerdict, Violation } from '../checkers/verdict.ts';
import type { History } from '../history/history.ts';
import { eventText } from '../report/event-text.ts';
import { formatTimeUs } from '../text/duration-text.ts';

const MOST_VIOLATIONS_SHOWN = 3;
const MOST_EVENTS_SHOWN = 12;
const MOST_SEEDS_SHOWN = 10;

/** What proves that a property is violated: for each violation (some, if they are many) a sentence, and below it the events, a line for each. */
export function proofText(history: History, verdict: PropertyVerdict & { readonly status: 'violated' }): string {
  const shown = verdict.violations.slice(0, MOST_VIOLATIONS_SHOWN);
  const lines = shown.flatMap((violation) => violationLines(history, violation));
  const rest = verdict.count - shown.length;
  return [...lines, ...(rest === 0 ? [] : [`  and ${rest} more of the same`])].join('\n');
}

function violationLines(history: History, { message, events }: Violation): string[] {
  const shown = events.slice(0, MOST_EVENTS_SHOWN).map((index) => history.at(index));
  const times = shown.map(({ timeUs }) => formatTimeUs(timeUs));
  const width = Math.max(0, ...times.map(({ length }) => length));
  const lines = shown.map((event, place) => `    ${(times[place] as string).padStart(width)}  ${eventText(event)}`);
  const rest = events.length - shown.length;
  return [`  ${message}`, ...lines, ...(rest === 0 ? [] : [`    … and ${rest} more events`])];
}

/** `seed 7`, or `seeds 7, 9, 12`, the first of them. */
export function seedsText(seeds: readonly number[]): string {
  const shown = seeds.slice(0, MOST_SEEDS_SHOWN).join(', ');
  const rest = seeds.length - MOST_SEEDS_SHOWN;
  return `seed${seeds.length === 1 ? '' : 's'} ${shown}${rest > 0 ? ` and ${rest} more` : ''}`;
}
