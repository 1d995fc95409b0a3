import { type Command, InvalidArgumentError } from 'commander';
import { BOUND_NAMES, BOUNDS } from '../../explore/envelope/envelope.ts';
import { MOST_THREADS, names, path, usualThreads, wholeNumber } from '../console/arguments.ts';
import { type Host, UsageError } from '../console/host.ts';
import type { SetExitCode } from '../program.ts';

const DEFAULT_RUNS = 10_000;
const UNIT_IN_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;
/** fast-check's own: the number of the run, then which of the smaller values was taken each time. */
const PATH = /^\d+(?::\d+)*$/;

const BOUND_LINES = BOUND_NAMES.map((name) => `  ${name.padEnd(14)} outside: ${BOUNDS[name].outside}`).join('\n');

const EXAMPLES = `
Bounds of the envelope, which hold unless they are left open:
${BOUND_LINES}

Examples:
  npx distrilock explore
  npx distrilock explore --time 10m --seed 7
  npx distrilock explore --outside clock-jump
  npx distrilock explore --outside client-pause --confirm processes
  npx distrilock explore --outside restart --property token-order

Small worlds can be gone through completely: npx distrilock exhaustive

Exit codes of explore: 0 nothing broke inside the envelope, or what was to be found outside was; 1 something broke inside, or nothing was found outside;
3 real servers do not show the same, or a run did not come to an end.`;

/** The options of the command, read and with their defaults. */
export interface ExploreCommandOptions {
  readonly seed: number;
  readonly runs?: number;
  readonly time?: number;
  readonly path?: string;
  readonly outside?: readonly string[];
  readonly property?: readonly string[];
  readonly workers: number;
  readonly out: string;
  readonly corpus?: string;
  readonly confirm?: readonly string[];
  readonly fingerprint?: true;
  readonly json?: true;
}

export function addExploreCommand(program: Command, host: Host, setExitCode: SetExitCode): void {
  program
    .command('explore')
    .description(
      'try fault schedules and workloads that nobody wrote, and make what breaks small: a scenario that run takes',
    )
    .option('-s, --seed <number>', 'what is drawn follows from it and from the number of the run', wholeNumber(0), 1)
    .option(
      '-n, --runs <number>',
      `how many runs (default: ${DEFAULT_RUNS}, or without end if there is a --time)`,
      wholeNumber(1),
    )
    .option('-t, --time <duration>', 'begin no more runs after this long, such as 30s, 10m or 8h', duration)
    .option('--path <path>', 'run only this one again, by the path that was printed with it', runPath)
    .option(
      '--outside <bounds>',
      'leave these bounds of the envelope open, apart by commas, and look for what breaks',
      names,
    )
    .option(
      '--property <names>',
      'look for violations of these properties (default: what the open bounds break first)',
      names,
    )
    .option('-w, --workers <number>', 'threads, at the most', wholeNumber(1, MOST_THREADS), usualThreads())
    .option('-o, --out <folder>', 'where the results go', path, 'reports/explore')
    .option(
      '--corpus <file>',
      'runs that are run first, and kept for the next time (default: corpus.json among the results)',
      path,
    )
    .option('--confirm <backends>', 'run what was found on real servers too: processes, containers', names)
    .option(
      '--fingerprint',
      'print one number for the histories of all runs but those of the corpus, to compare machines and versions',
    )
    .option('--json', 'print the summary as JSON on standard output, and nothing else there')
    .addHelpText('after', EXAMPLES)
    .action(async (options: ExploreCommandOptions) => {
      if (options.path !== undefined && (options.runs !== undefined || options.time !== undefined)) {
        throw new UsageError(
          '--path runs one run again, and --runs and --time bound a search: leave out one or the other',
        );
      }
      // What only this command needs takes longest to load.
      const { runExplore } = await import('./run-explore.ts');
      const runs = options.runs ?? (options.time === undefined ? DEFAULT_RUNS : Number.POSITIVE_INFINITY);
      setExitCode(await runExplore({ ...options, runs }, host));
    });
}

function duration(text: string): number {
  const [, number, unit] = DURATION.exec(text) ?? [];
  const milliseconds = Number(number) * (UNIT_IN_MS[unit ?? ''] ?? Number.NaN);
  if (!(milliseconds > 0)) throw new InvalidArgumentError('It must be a duration such as 500ms, 30s, 10m or 8h.');
  return milliseconds;
}

function runPath(text: string): string {
  if (!PATH.test(text) || !text.split(':').every((number) => Number.isSafeInteger(Number(number)))) {
    throw new InvalidArgumentError(
      `It must be numbers up to ${Number.MAX_SAFE_INTEGER} that are apart by colons, such as 20:0:1.`,
    );
  }
  return text;
}
