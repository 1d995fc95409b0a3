import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { ScenarioError } from '../scenario/load-error.ts';
import { visibleLines } from '../text/visible-text.ts';
import { OutputError } from '../results/output-error.ts';
import { RunFailure } from '../run/run-failure.ts';
import { TestbedUnavailableError } from '../testbed/testbed-error.ts';
import { addDoctorCommand } from './doctor-command.ts';
import { withRemedy } from './backends.ts';
import { addExhaustiveCommand } from './exhaustive/exhaustive-command.ts';
import { EXIT } from './console/exit-codes.ts';
import { addExploreCommand } from './explore/explore-command.ts';
import { type Host, UsageError } from './console/host.ts';
import { interruptedBy } from './console/interruption.ts';
import { addListCommand } from './list-command.ts';
import { addReplayCommand } from './replay/replay-command.ts';
import { addRunCommand } from './run/run-command.ts';
import { addShowCommand } from './show-command.ts';
import { shellQuote } from '../text/shell-quote.ts';

const EXIT_CODES = `
Exit codes:
  0    every verdict is as expected
  1    some verdict is not as expected
  2    the command line, a scenario or the folder for results is wrong, or nothing can run here
  3    something could not be judged, or is missing here, and nothing is worse
  70   distrilock has a defect
  130  interrupted by Ctrl-C (143: by SIGTERM)`;

/** Runs one command line (without the program's name). Resolves to the exit code; never rejects. */
export async function runCommandLine(words: readonly string[], host: Host): Promise<number> {
  let exitCode: number = EXIT.asExpected;
  const program = makeProgram(host, (code) => (exitCode = code));
  try {
    await program.parseAsync(words, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.asExpected : EXIT.badInput;
    if (error instanceof UsageError || error instanceof ScenarioError || error instanceof OutputError) {
      host.stderr.write(`${visibleLines(error.message)}\n`);
      return EXIT.badInput;
    }
    if (error instanceof TestbedUnavailableError) {
      host.stderr.write(`${visibleLines(`It cannot run here: ${withRemedy(error.message, error.remedy)}`)}\n`);
      return EXIT.badInput;
    }
    if (host.signal.aborted) return reportInterruption(host);
    reportDefect(error, words, host);
    return EXIT.defect;
  }
}

/** Sets the exit code of a command that came to its end. */
export type SetExitCode = (code: number) => void;

function makeProgram(host: Host, setExitCode: SetExitCode): Command {
  const program = new Command('distrilock')
    .description(
      'Runs Redlock against cut networks, wrong clocks, dying servers and pausing clients, and says with evidence whether it held.',
    )
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', EXIT_CODES)
    .showHelpAfterError('(--help lists what there is)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(visibleLines(text)),
    });
  addRunCommand(program, host, setExitCode);
  addExploreCommand(program, host, setExitCode);
  addReplayCommand(program, host, setExitCode);
  addListCommand(program, host, setExitCode);
  addShowCommand(program, host);
  addExhaustiveCommand(program, host, setExitCode);
  addDoctorCommand(program, host, setExitCode);
  return program;
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** What a signal breaks is no defect, and nothing to tell: Ctrl-C reaches the programs that this one started as well. Returns the exit code. */
function reportInterruption({ signal, stderr }: Host): number {
  const name = interruptedBy(signal);
  stderr.write(`Interrupted by ${name}\n`);
  return EXIT[name];
}

function reportDefect(error: unknown, words: readonly string[], host: Host): void {
  const cause = error instanceof RunFailure ? error.cause : error;
  const replay = error instanceof RunFailure ? error.replay : ['npx distrilock', ...words.map(shellQuote)].join(' ');
  const stack = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  host.stderr.write(
    `distrilock has a defect. Please report it, with these lines and the scenario if it is your own:\n\n` +
      `${visibleLines(stack)}\n\nThis runs it again:\n  ${replay}\n`,
  );
}
