import type { OutcomeCounts, RunSummary, ScenarioSummary, Summary } from '../report/summary.ts';
import { visibleText } from '../report/visible-text.ts';
import { formatMs } from '../text/duration-text.ts';
import type { Colors } from './colors.ts';
import { renderLines } from './lines.ts';

const HEAD = ['scenario', 'expected violations', 'found', 'outcome', 'time'];
const NONE = 'none';
/** Seeds of one scenario that are spelled out when they are not as expected; summary.json has the others. */
const MOST_SEEDS_SHOWN = 5;

/**
 * The table of what ran, with the reasons and the replay command below each line that is not as expected.
 * `elapsedMs` is the real time that all runs of a scenario took, by its name.
 */
export function renderResults(summary: Summary, elapsedMs: ReadonlyMap<string, number>, colors: Colors): string {
  const { scenarios } = summary;
  const [head = [], ...lines] = renderLines([
    HEAD.map((title) => colors.bold(title)),
    ...scenarios.map((scenario) => cellsOf(scenario, elapsedMs.get(scenario.scenario) ?? 0, colors)),
  ]);
  const text = scenarios.flatMap((scenario, index) => [...(lines[index] ?? []), ...detailsOf(scenario)]);
  return `${[...head, ...text].join('\n')}\n`;
}

/** `25 runs: 24 as expected, 1 not as expected, 0 unknown`. */
export function renderTotals({ runs, asExpected, notAsExpected, unknown }: OutcomeCounts, colors: Colors): string {
  // A zero is no news, good or bad: it has no colour.
  const part = (count: number, words: string, paint: (text: string) => string): string =>
    count === 0 ? `0 ${words}` : paint(`${count} ${words}`);
  const parts = [
    part(asExpected, 'as expected', colors.green),
    part(notAsExpected, 'not as expected', colors.red),
    part(unknown, 'unknown', colors.yellow),
  ];
  return `${runs === 1 ? '1 run' : `${runs} runs`}: ${parts.join(', ')}`;
}

function cellsOf({ scenario, properties, counts }: ScenarioSummary, elapsedMs: number, colors: Colors): string[] {
  const expected = properties.filter((property) => property.expected === 'violated');
  const found = properties.filter((property) => property.found.violated > 0);
  return [
    scenario,
    namesOf(expected.map(({ property }) => property)),
    namesOf(
      found.map((each) => `${each.property}${each.found.violated < counts.runs ? ` (${each.found.violated})` : ''}`),
    ),
    outcomeOf(counts, colors),
    formatMs(Math.round(elapsedMs)),
  ];
}

function namesOf(properties: readonly string[]): string {
  return properties.length === 0 ? NONE : properties.join('\n');
}

function outcomeOf({ runs, asExpected, notAsExpected, unknown }: OutcomeCounts, colors: Colors): string {
  const parts: string[] = [];
  const add = (count: number, words: string, paint: (text: string) => string): void => {
    if (count > 0) parts.push(paint(runs === 1 ? words : `${count} of ${runs} ${words}`));
  };
  add(asExpected, 'as expected', colors.green);
  add(notAsExpected, 'not as expected', colors.red);
  add(unknown, 'unknown', colors.yellow);
  return parts.join('\n');
}

function detailsOf({ runs }: ScenarioSummary): string[] {
  const others = runs.filter(({ outcome }) => outcome !== 'as-expected');
  const lines = others.slice(0, MOST_SEEDS_SHOWN).flatMap(reasonsOf);
  const hidden = others.length - MOST_SEEDS_SHOWN;
  if (hidden > 0) lines.push(`    and ${hidden} more ${hidden === 1 ? 'seed' : 'seeds'}: see summary.json`);
  return lines;
}

function reasonsOf({ seed, reasons, replay }: RunSummary): string[] {
  return [...reasons.map((reason) => `    seed ${seed}: ${visibleText(reason)}`), `    ${replay}`];
}
