import { BOUND_NAMES } from '../../explore/envelope/envelope.ts';
import { PROTOCOL_PHASES } from '../../explore/search/coverage.ts';
import type { Exploration } from '../../explore/search/explore.ts';
import type { Confirmation, ExploreSummary, FoundSummary } from '../../explore/counterexample/summary.ts';
import { visibleText } from '../../text/visible-text.ts';
import { formatMs } from '../../text/duration-text.ts';
import { type Colors, colorsFor } from '../console/colors.ts';
import type { ExploreCommandOptions } from './explore-command.ts';
import type { Host, Output } from '../console/host.ts';
import { renderLines } from '../console/lines.ts';
import { ProgressLine } from '../console/progress-line.ts';

const MS_PER_SECOND = 1000;

/** Shows on a terminal how far an exploration is. */
export class ExploreDisplay {
  private readonly line: ProgressLine;

  constructor(output: Output) {
    this.line = new ProgressLine(output);
  }

  update(progress: Exploration): void {
    const { runs, coverage, hit } = progress;
    const found = hit === null ? 'no violation' : '1 violation';
    const cells = Object.keys(coverage).length;
    this.line.show(`${runs} runs, ${rateText(progress)}, ${cells} faults × phases, ${found}`);
  }

  show(text: string): void {
    this.line.show(text);
  }

  end(): void {
    this.line.clear();
  }
}

/** Prints what was tried and found: for people, or as JSON alone. `elapsedMs` is null where only one run was run again. */
export function printExploration(
  summary: ExploreSummary,
  elapsedMs: number | null,
  summaryPath: string,
  { json, confirm }: Pick<ExploreCommandOptions, 'json' | 'confirm'>,
  { stdout, stderr, environment }: Host,
): void {
  if (json === true) {
    stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
  } else {
    const colors = colorsFor(stdout, environment);
    if (elapsedMs !== null) stdout.write(coverageText(summary, colors));
    stdout.write(`${triedText(summary, elapsedMs)}${outcomeText(summary, colors)}\n`);
    for (const { symptom, seed, index } of summary.known) {
      stdout.write(`Known from the corpus: ${symptom} breaks in run ${index} of seed ${seed}\n`);
    }
    for (const { seed, index, replay } of summary.stuck) {
      const text = `Run ${index} of seed ${seed} did not come to an end, and its thread was ended: up to 49 runs before it do not count`;
      stdout.write(`${colors.yellow(text)}\nThis runs it again, until Ctrl-\\ ends it: ${replay}\n`);
    }
    if (confirm !== undefined && summary.found === null)
      stdout.write('Nothing was found, so that there was nothing to confirm\n');
    if (summary.found !== null) stdout.write(foundText(summary.found, colors));
    if (summary.fingerprint !== null) stdout.write(`Fingerprint: ${summary.fingerprint}\n`);
    stdout.write(`Summary: ${visibleText(summaryPath)}\n`);
  }
  if (summary.interrupted) stderr.write(`${interruptionText(summary.runs)}\n`);
}

function interruptionText(runs: number): string {
  if (runs === 0) return 'Interrupted before the first runs came to their end';
  return `Interrupted after ${runs === 1 ? '1 run; its' : `${runs} runs; their`} results are kept`;
}

function triedText({ runs, corpusRuns, events }: ExploreSummary, elapsedMs: number | null): string {
  if (elapsedMs === null) return 'Run again: ';
  const corpus = corpusRuns === 0 ? '' : `, ${corpusRuns} of them from the corpus`;
  return `${runs} runs${corpus} (${events} events) in ${formatMs(Math.round(elapsedMs))}, ${rateText({ runs, elapsedMs })}: `;
}

function rateText({ runs, elapsedMs }: { readonly runs: number; readonly elapsedMs: number }): string {
  return `${Math.round((runs * MS_PER_SECOND) / Math.max(1, elapsedMs))} runs/s`;
}

function outcomeText({ found, outside, stuck, runs, interrupted }: ExploreSummary, colors: Colors): string {
  const where = outside.length === 0 ? 'inside the envelope' : `with ${outside.join(' and ')} left open`;
  if (found === null && stuck.length > 0)
    return colors.yellow('NOT every run came to an end, the others without a violation');
  if (found === null && runs === 0) return colors.yellow('NOTHING was tried, and nothing is known');
  if (found === null) {
    const text = `no violation ${where}`;
    if (interrupted) return colors.yellow(`${text} so far`);
    return outside.length === 0 ? colors.green(text) : colors.red(`${text}, where one was to be found`);
  }
  if (found.because.length === 0) return colors.red(`${found.symptom} broke inside the envelope: a defect`);
  return colors.green(`found how ${found.symptom} breaks ${where}`);
}

const VERDICT_TEXTS: Readonly<Record<Confirmation['verdict'], string>> = {
  agrees: 'agrees',
  differs: 'differs',
  unable: 'cannot run',
  interrupted: 'not confirmed',
};

function foundText(found: FoundSummary, colors: Colors): string {
  const { message, faults, clients, shrinkRuns, cutShort, scenario, report, replay, confirmations } = found;
  const size = `${faults} ${faults === 1 ? 'fault' : 'faults'} and ${clients} clients, after ${shrinkRuns} ${shrinkRuns === 1 ? 'run' : 'runs'}`;
  const lines = [
    `  ${visibleText(message)}`,
    cutShort ? `  Made smaller until it was interrupted: ${size}; it may not be the smallest` : `  Made small: ${size}`,
    ...confirmations.map(({ backend, verdict, reason }) => {
      const text = `  On ${backend}: ${VERDICT_TEXTS[verdict]} (${visibleText(reason)})`;
      return verdict === 'agrees' ? colors.green(text) : colors.yellow(text);
    }),
    `Scenario: ${visibleText(scenario)}`,
    ...(report === null ? [] : [`Report: ${visibleText(report)}`]),
    `Replay: ${replay}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** How often faults of each kind began in each phase, for schedules that reach everywhere show in no other way. */
function coverageText({ coverage, outside }: ExploreSummary, colors: Colors): string {
  const kinds = Object.keys(coverage);
  if (kinds.length === 0) return '';
  const header = ['fault', ...PROTOCOL_PHASES];
  const rows = kinds.map((kind) => [kind, ...PROTOCOL_PHASES.map((phase) => `${coverage[kind]?.[phase] ?? '·'}`)]);
  const lines = renderLines([header, ...rows]).flat();
  const open = outside.length === 0 ? BOUND_NAMES.length : BOUND_NAMES.length - outside.length;
  const [first = '', ...others] = lines;
  return `${[colors.bold(first), ...others].join('\n')}\n${open} of ${BOUND_NAMES.length} bounds of the envelope hold\n`;
}
