import { type Command, Option } from 'commander';
import type { RestartPolicy } from '../../exhaustive/settings.ts';
import { wholeNumber } from '../console/arguments.ts';
import type { Host } from '../console/host.ts';
import type { SetExitCode } from '../program.ts';

const EXAMPLES = `
Every interleaving of messages, timers, calls and faults is tried, with the real library in every client. Time is in ticks of one millisecond
to the library; docs/exhaustive.md says what a state is, and what is left out. The exit code is 0 if every state was visited and nothing is
violated, 1 if something is, and 3 if a bound cut the search off, or something that was asked for could not happen, as a pause without ticks.

Examples:
  npx distrilock exhaustive --clients 3
  npx distrilock exhaustive --crashes 1 --pauses 1 --clock-jumps 1
  npx distrilock exhaustive --crashes 1 --restart amnesiac
  npx distrilock exhaustive --fencing --clients 3 --json`;

/** The options of the command, read and with their defaults. */
export interface ExhaustiveCommandOptions {
  readonly nodes: number;
  readonly clients: number;
  readonly cycles: number;
  readonly retries: number;
  readonly extensions: number;
  readonly fencing?: true;
  readonly ttl: number;
  readonly nodeTimeout: number;
  readonly ticks?: number;
  readonly crashes: number;
  readonly restart: RestartPolicy;
  readonly pauses: number;
  readonly clockJumps: number;
  readonly jump: number;
  readonly evictions: number;
  readonly maxStates: number;
  readonly depth?: number;
  readonly keepGoing?: true;
  /** False for --no-reductions. */
  readonly reductions: boolean;
  readonly replay?: string;
  readonly json?: true;
}

export function addExhaustiveCommand(program: Command, host: Host, setExitCode: SetExitCode): void {
  program
    .command('exhaustive')
    .description('try every interleaving of a small world, and prove that nothing is violated in it, or show how')
    .option('--nodes <number>', 'Redis masters', wholeNumber(1), 3)
    .option('--clients <number>', 'clients, each with the library', wholeNumber(1), 2)
    .option('--cycles <number>', 'how often each client acquires the lock', wholeNumber(1), 1)
    .option('--retries <number>', 'retries of each acquire', wholeNumber(0), 0)
    .option('--extensions <number>', 'how often each lock may be extended', wholeNumber(0), 0)
    .option('--fencing', 'with fencing tokens, whose order is then checked too')
    .option('--ttl <ticks>', 'for how long a lock is asked', wholeNumber(3), 3)
    .option('--node-timeout <ticks>', 'for how long a node is waited for', wholeNumber(1), 1)
    .option(
      '--ticks <number>',
      'how many ticks pass (default: one more than the ttl if time matters, or else 0)',
      wholeNumber(0),
    )
    .option('--crashes <number>', 'how many nodes crash, each at any moment', wholeNumber(0), 0)
    .addOption(
      new Option(
        '--restart <policy>',
        'what a node has after a crash: its data; nothing; or nothing, but only after the ttl',
      )
        .choices(['durable', 'amnesiac', 'delayed'])
        .default('durable'),
    )
    .option('--pauses <number>', 'how often a client is paused beyond a timer', wholeNumber(0), 0)
    .option(
      '--clock-jumps <number>',
      "how often a clock jumps: a node's ahead, or with fencing a client's wall clock either way",
      wholeNumber(0),
      0,
    )
    .option('--jump <ticks>', 'how far the clock of a node jumps', wholeNumber(1), 1)
    .option('--evictions <number>', 'how many keys vanish, each at any moment', wholeNumber(0), 0)
    .option('--max-states <number>', 'stop when so many states were visited', wholeNumber(1), 20_000_000)
    .option('--depth <steps>', 'go no further than so many steps from the beginning', wholeNumber(1))
    .option('--keep-going', 'look for violations of other properties, too, once one is found')
    .option('--no-reductions', 'try every state as it is: many more of them, for worlds that are smaller still')
    .option('--replay <steps>', 'do these steps, as a violation names them, and have the checkers judge them')
    .option('--json', 'print the result as JSON on standard output, and nothing else there')
    .addHelpText('after', EXAMPLES)
    .action(async (options: ExhaustiveCommandOptions) => {
      const { runExhaustive } = await import('./exhaustive-run.ts');
      setExitCode(await runExhaustive(options, host));
    });
}
