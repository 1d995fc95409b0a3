import { runsWord } from '../../results/backend-summary.ts';
import type { OutcomeCounts } from '../../results/outcome-counts.ts';
import type { RunSummary, ScenarioSummary, SkippedScenario, Summary } from '../../results/summary.ts';
import { visibleText } from '../../text/visible-text.ts';
import { formatMs } from '../../text/duration-text.ts';
import type { Colors } from '../console/colors.ts';
import type { ElapsedTimes } from './elapsed-times.ts';
import { renderLines } from '../console/lines.ts';

const HEAD = ['scenario', 'expected violations', 'found', 'outcome', 'time'];
const NONE = 'none';
/** Runs of one scenario that are spelled out when they are not as expected; summary.json has the others. */
const MOST_RUNS_SHOWN = 5;

/** The table of what ran on one backend, with the reasons and the replay command below each line that is not as expected. */
export function renderResults(summary: Summary, elapsed: ElapsedTimes, colors: Colors): string {
  const rows = [...summary.scenarios, ...summary.skipped].sort((left, right) =>
    left.scenario < right.scenario ? -1 : left.scenario > right.scenario ? 1 : 0,
  );
  const [head = [], ...lines] = renderLines([
    HEAD.map((title) => colors.bold(title)),
    ...rows.map((row) => ('reason' in row ? skippedCells(row, colors) : cellsOf(row, elapsed.of(row), colors))),
  ]);
  const text = rows.flatMap((row, index) => [
    ...(lines[index] ?? []),
    ...('reason' in row ? [] : detailsOf(row, summary)),
  ]);
  return `${[...head, ...text].join('\n')}\n`;
}

/** The names of properties, a line each. */
export function namesOf(properties: readonly string[]): string {
  return properties.length === 0 ? NONE : properties.join('\n');
}

export function expectedViolations({ properties }: ScenarioSummary): string[] {
  return properties.filter(({ expected }) => expected === 'violated').map(({ property }) => property);
}

/** How the runs of a scenario on a backend came out, in words. */
export function outcomeText({ runs, asExpected, notAsExpected, unknown }: OutcomeCounts, colors: Colors): string {
  const parts: string[] = [];
  const add = (count: number, words: string, paint: (text: string) => string): void => {
    if (count > 0) parts.push(paint(runs === 1 ? words : `${count} of ${runs} ${words}`));
  };
  add(asExpected, 'as expected', colors.green);
  add(notAsExpected, 'not as expected', colors.red);
  add(unknown, 'unknown', colors.yellow);
  return parts.join('\n');
}

/** Why runs are not as expected, and the commands that make them again. */
export function detailsOf({ runs, backend }: ScenarioSummary, { backends }: Summary): string[] {
  const others = runs.filter(({ outcome }) => outcome !== 'as-expected');
  const where = backends.length === 1 ? '' : `${backend}, `;
  const lines = others.slice(0, MOST_RUNS_SHOWN).flatMap((run) => reasonsOf(run, where));
  const hidden = others.length - MOST_RUNS_SHOWN;
  const facts = backends.find((each) => each.backend === backend);
  if (hidden > 0 && facts !== undefined) {
    lines.push(`    and ${hidden} more ${runsWord(facts, hidden)}: see summary.json`);
  }
  return lines;
}

function cellsOf(row: ScenarioSummary, elapsedMs: number, colors: Colors): string[] {
  const { scenario, properties, counts } = row;
  const found = properties.filter((property) => property.found.violated > 0);
  return [
    scenario,
    namesOf(expectedViolations(row)),
    namesOf(
      found.map((each) => `${each.property}${each.found.violated < counts.runs ? ` (${each.found.violated})` : ''}`),
    ),
    outcomeText(counts, colors),
    formatMs(Math.round(elapsedMs)),
  ];
}

function skippedCells({ scenario }: SkippedScenario, colors: Colors): string[] {
  return [scenario, '', '', colors.yellow('skipped'), ''];
}

function reasonsOf({ seed, reasons, replay }: RunSummary, where: string): string[] {
  return [...reasons.map((reason) => `    ${where}seed ${seed}: ${visibleText(reason)}`), `    ${replay}`];
}
