import type { Judgement } from '../checkers/judgement.ts';
import { visibleText } from '../report/visible-text.ts';
import { formatMs } from '../text/duration-text.ts';
import type { Colors } from './colors.ts';
import { renderLines } from './lines.ts';

/** One scenario of the table: its verdicts, one for each seed. */
export interface ResultsRow {
  readonly scenario: string;
  readonly judgements: readonly Judgement[];
  /** Real time that all of its runs took. */
  readonly elapsedMs: number;
}

export interface OutcomeCounts {
  readonly asExpected: number;
  readonly notAsExpected: number;
  readonly unknown: number;
}

const HEAD = ['scenario', 'expected violations', 'found', 'outcome', 'time'];
const NONE = 'none';
/** Seeds of one scenario that are spelled out when they are not as expected; verdict.json has the others. */
const MOST_SEEDS_SHOWN = 5;

/** The table of what ran, with the reasons and the replay command below each line that is not as expected. */
export function renderResults(rows: readonly ResultsRow[], colors: Colors): string {
  const [head = [], ...lines] = renderLines([
    HEAD.map((title) => colors.bold(title)),
    ...rows.map((row) => cellsOf(row, colors)),
  ]);
  const text = rows.flatMap((row, index) => [...(lines[index] ?? []), ...detailsOf(row)]);
  return `${[...head, ...text].join('\n')}\n`;
}

/** `25 runs: 24 as expected, 1 not as expected, 0 unknown`. */
export function renderTotals(judgements: readonly Judgement[], colors: Colors): string {
  const { asExpected, notAsExpected, unknown } = countOutcomes(judgements);
  const runs = judgements.length === 1 ? '1 run' : `${judgements.length} runs`;
  const parts = [
    colors.green(`${asExpected} as expected`),
    notAsExpected === 0 ? '0 not as expected' : colors.red(`${notAsExpected} not as expected`),
    unknown === 0 ? '0 unknown' : colors.yellow(`${unknown} unknown`),
  ];
  return `${runs}: ${parts.join(', ')}`;
}

export function countOutcomes(judgements: readonly Judgement[]): OutcomeCounts {
  const count = (outcome: Judgement['outcome']): number =>
    judgements.filter((judgement) => judgement.outcome === outcome).length;
  return { asExpected: count('as-expected'), notAsExpected: count('not-as-expected'), unknown: count('unknown') };
}

function cellsOf({ scenario, judgements, elapsedMs }: ResultsRow, colors: Colors): string[] {
  return [
    scenario,
    listOf(judgements, ({ expected }) => expected === 'violated'),
    listOf(judgements, ({ verdict }) => verdict.status === 'violated'),
    outcomeOf(judgements, colors),
    formatMs(Math.round(elapsedMs)),
  ];
}

/** The properties that hold the condition in any of the runs, one a line. */
function listOf(
  judgements: readonly Judgement[],
  holds: (property: Judgement['properties'][number]) => boolean,
): string {
  const names = judgements.flatMap(({ properties }) => properties.filter(holds).map(({ verdict }) => verdict.property));
  return names.length === 0 ? NONE : [...new Set(names)].join('\n');
}

function outcomeOf(judgements: readonly Judgement[], colors: Colors): string {
  const { asExpected, notAsExpected, unknown } = countOutcomes(judgements);
  const parts: string[] = [];
  const add = (count: number, words: string, paint: (text: string) => string): void => {
    if (count > 0) parts.push(paint(judgements.length === 1 ? words : `${count} of ${judgements.length} ${words}`));
  };
  add(asExpected, 'as expected', colors.green);
  add(notAsExpected, 'not as expected', colors.red);
  add(unknown, 'unknown', colors.yellow);
  return parts.join('\n');
}

function detailsOf({ judgements }: ResultsRow): string[] {
  const others = judgements.filter(({ outcome }) => outcome !== 'as-expected');
  const lines = others
    .slice(0, MOST_SEEDS_SHOWN)
    .flatMap(({ seed, reasons, replay }) => [
      ...reasons.map((reason) => `    seed ${seed}: ${visibleText(reason)}`),
      `    ${replay}`,
    ]);
  const hidden = others.length - MOST_SEEDS_SHOWN;
  if (hidden > 0) lines.push(`    and ${hidden} more ${hidden === 1 ? 'seed' : 'seeds'}: see summary.json`);
  return lines;
}
