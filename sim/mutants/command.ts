import { Command, CommanderError } from 'commander';
import { MOST_THREADS, names, usualThreads, wholeNumber } from '../cli/console/arguments.ts';
import { colorsFor } from '../cli/console/colors.ts';
import { EXIT } from '../cli/console/exit-codes.ts';
import { type Host, UsageError } from '../cli/console/host.ts';
import type { SignalName } from '../cli/console/interruption.ts';
import { ProgressLine } from '../cli/console/progress-line.ts';
import { control } from './control.ts';
import { hunt, type HuntProgress } from './hunt.ts';
import { type Mutant, PatchError } from './mutant.ts';
import { MUTANTS } from './mutants.ts';
import { controlJson, mutantsJson } from './result-json.ts';
import { renderControl, renderMutants } from './result-text.ts';

const DEFAULT_SECONDS = 30;
const DEFAULT_CONTROL_RUNS = 1_000_000;

const EPILOGUE = `
Exit codes: 0 every mutant was caught, or the library survived; 1 a mutant survived, or the library did not;
2 the command line is wrong, or a mutant does not fit the sources; 130 interrupted`;

interface MutantsOptions {
  readonly only?: readonly string[];
  readonly seed: number;
  readonly seconds: number;
  readonly runs?: number;
  readonly quick?: true;
  readonly threads: number;
  readonly control?: true | number;
  readonly json?: true;
}

type MutantsHost = Pick<Host, 'stdout' | 'stderr' | 'environment' | 'signal'>;

/** Runs one command line (without the program's name). Resolves to the exit code; rejects only for a defect. */
export async function runMutants(
  words: readonly string[],
  host: MutantsHost,
  mutants: readonly Mutant[] = MUTANTS,
): Promise<number> {
  const program = makeProgram(host);
  try {
    await program.parseAsync(words, { from: 'user' });
    const options = program.opts<MutantsOptions>();
    const exitCode =
      options.control === undefined ? await huntAll(options, host, mutants) : await runControl(options, host);
    return host.signal.aborted ? EXIT[host.signal.reason as SignalName] : exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.asExpected : EXIT.badInput;
    if (error instanceof UsageError || error instanceof PatchError) {
      host.stderr.write(`${error.message}\n`);
      return EXIT.badInput;
    }
    throw error;
  }
}

function makeProgram(host: MutantsHost): Command {
  return new Command('mutants')
    .description(
      'Lets the search of explore loose on libraries that are broken on purpose: one that nobody notices shows what the testbed cannot see.',
    )
    .option('--only <names>', 'hunt these mutants only, apart by commas', names)
    .option('-s, --seed <number>', 'what is drawn follows from it', wholeNumber(0), 1)
    .option('--seconds <number>', 'how long to explore each', wholeNumber(1), DEFAULT_SECONDS)
    .option('--runs <number>', 'how many runs to explore each at the most', wholeNumber(1))
    .option('--quick', 'do not make small what breaks')
    .option('-t, --threads <number>', 'how many at once, at the most', wholeNumber(1, MOST_THREADS), usualThreads())
    .option('--control [runs]', `run the library as it is instead (${DEFAULT_CONTROL_RUNS} runs)`, wholeNumber(1))
    .option('--json', 'print the result as JSON on standard output, and nothing else there')
    .addHelpText('after', EPILOGUE)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
    });
}

async function huntAll(options: MutantsOptions, host: MutantsHost, all: readonly Mutant[]): Promise<number> {
  const { seed, seconds, threads, runs = Number.MAX_SAFE_INTEGER } = options;
  const progress = new ProgressLine(host.stderr);
  try {
    const results = await hunt({
      mutants: wantedMutants(options.only, all),
      seed,
      limitMs: seconds * 1000,
      runs,
      makesSmall: options.quick !== true,
      threads,
      signal: host.signal,
      onProgress: (state) => progress.show(progressText(state)),
    });
    progress.clear();
    host.stdout.write(
      options.json === true
        ? mutantsJson(results, seed)
        : renderMutants(results, colorsFor(host.stdout, host.environment)),
    );
    return results.every(({ outcome }) => outcome.kind === 'caught') ? EXIT.asExpected : EXIT.notAsExpected;
  } finally {
    progress.clear();
  }
}

async function runControl(options: MutantsOptions, host: MutantsHost): Promise<number> {
  const { seed, threads, quick } = options;
  const runs = typeof options.control === 'number' ? options.control : DEFAULT_CONTROL_RUNS;
  const progress = new ProgressLine(host.stderr);
  try {
    const result = await control({
      seed,
      runs,
      makesSmall: quick !== true,
      threads,
      signal: host.signal,
      onProgress: (tried) => progress.show(`${tried} of ${runs} runs`),
    });
    progress.clear();
    host.stdout.write(
      options.json === true
        ? controlJson(result, seed)
        : renderControl(result, seed, colorsFor(host.stdout, host.environment)),
    );
    return result.outcome.kind === 'caught' ? EXIT.notAsExpected : EXIT.asExpected;
  } finally {
    progress.clear();
  }
}

/** Throws a UsageError that lists the names there are. */
function wantedMutants(only: readonly string[] | undefined, all: readonly Mutant[]): readonly Mutant[] {
  if (only === undefined) return all;
  return only.map((name) => {
    const mutant = all.find((each) => each.name === name);
    if (mutant !== undefined) return mutant;
    throw new UsageError(
      `There is no mutant ${JSON.stringify(name)}; there are ${all.map((each) => each.name).join(', ')}.`,
    );
  });
}

function progressText({ settled, all, current }: HuntProgress): string {
  const hunted = current.map(([name, runs]) => `${name} (${runs} runs)`).join(', ');
  return `${settled} of ${all} mutants settled; ${hunted}`;
}
