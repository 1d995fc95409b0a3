import type { Colors } from '../cli/console/colors.ts';
import { renderLines } from '../cli/console/lines.ts';
import { formatMs } from '../text/duration-text.ts';
import { visibleText } from '../text/visible-text.ts';
import type { ControlResult } from './control.ts';
import type { MutantResult } from './hunt.ts';
import { scheduleText } from './schedule-text.ts';
import type { SearchOutcome } from './search-worker.ts';

const HEAD = ['mutant', 'caught by', 'runs', 'time'];

/** The table of mutants: what caught each, after how many runs, and below it what is broken and the smallest run that shows it. */
export function renderMutants(results: readonly MutantResult[], colors: Colors): string {
  const [head = [], ...rows] = renderLines([
    HEAD.map((title) => colors.bold(title)),
    ...results.map(({ mutant, outcome, elapsedMs }) => [
      mutant.name,
      verdictText(outcome, colors),
      `${outcome.runs}`,
      formatMs(Math.round(elapsedMs)),
    ]),
  ]);
  const lines = results.flatMap(({ mutant, outcome }, index) => [
    ...(rows[index] ?? []),
    `    ${mutant.broken}`,
    ...evidenceText(outcome).map((line) => colors.dim(`      ${visibleText(line)}`)),
  ]);
  return `${[...head, ...lines].join('\n')}\n${totalText(results, colors)}\n`;
}

function totalText(results: readonly MutantResult[], colors: Colors): string {
  const count = (kind: SearchOutcome['kind']): number => results.filter(({ outcome }) => outcome.kind === kind).length;
  const [caught, survived, interrupted] = [count('caught'), count('survived'), count('interrupted')];
  const parts = [colors.bold(`${caught} of ${results.length} mutants were caught`)];
  if (survived > 0) parts.push(colors.red(`${survived} survived`));
  if (interrupted > 0) parts.push(colors.yellow(`${interrupted} were interrupted`));
  return parts.join(', ');
}

function verdictText(outcome: SearchOutcome, colors: Colors): string {
  switch (outcome.kind) {
    case 'caught':
      return colors.green(outcome.finding.symptom);
    case 'survived':
      return colors.red('nothing: it survived');
    case 'interrupted':
      return colors.yellow('interrupted');
  }
}

/** The smallest run in which it shows, and what happens there. */
function evidenceText(outcome: SearchOutcome): string[] {
  if (outcome.kind !== 'caught') return [];
  const { smallest, finding } = outcome;
  if (smallest === null) return [finding.message];
  return [...scheduleText(smallest.trial.scenario), smallest.finding.message];
}

/** How the library as it is came through. */
export function renderControl({ outcome, runs, elapsedMs }: ControlResult, seed: number, colors: Colors): string {
  const perSecond = Math.round((runs / Math.max(1, elapsedMs)) * 1000);
  const pace = `${runs} runs in ${formatMs(Math.round(elapsedMs))}, ${perSecond} runs/s`;
  switch (outcome.kind) {
    case 'survived':
      return `${colors.green('The library as it is survived')}: ${pace}\n`;
    case 'interrupted':
      return `${colors.yellow('Interrupted')}, and nothing had broken: ${pace}\n`;
    case 'caught':
      return `${[
        `${colors.red(`The library as it is broke ${outcome.finding.symptom}`)} in run ${outcome.index} of seed ${seed}: ${pace}`,
        ...evidenceText(outcome).map((line) => `  ${visibleText(line)}`),
      ].join('\n')}\n`;
  }
}
