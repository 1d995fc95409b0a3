import type { Command } from 'commander';
import { names, path, paths, wholeNumber } from '../console/arguments.ts';
import type { BackendOptions } from '../backends.ts';
import type { Host } from '../console/host.ts';
import type { SetExitCode } from '../program.ts';

const EXAMPLES = `
A scenario is a name that "distrilock list" shows, or the path of a file of your own (it contains a / or ends in .yaml).

Examples:
  npx distrilock run
  npx distrilock run kleppmann-gc-pause --seed 7
  npx distrilock run my/settings.yaml --runs 100 --out /tmp/results
  npx distrilock run --backend simulated,processes --runs 10
  npx distrilock run --backend processes --redis-server /opt/redis-6.2/redis-server --redis-server /usr/bin/redis-server
  npx distrilock run --backend all --strict
  npx distrilock run --json > summary.json
  npx distrilock run --junit junit.xml`;

/** The options of the command, read and with their defaults. */
export interface RunOptions extends BackendOptions {
  readonly seed: number;
  readonly runs: number;
  readonly out: string;
  readonly json?: true;
  readonly junit?: string;
  readonly strict?: true;
}

export function addRunCommand(program: Command, host: Host, setExitCode: SetExitCode): void {
  program
    .command('run')
    .description('run scenarios (all of the gallery if none is named), judge them, and write reports')
    .argument('[scenario...]', 'names from the gallery, or paths of scenario files')
    .option(
      '-b, --backend <names>',
      'the worlds to run in, apart by commas: simulated, processes, containers, or all (default: simulated)',
      names,
    )
    .option(
      '--redis-server <path>',
      'the redis-server of the backend processes; given several times, the scenarios run on each',
      paths,
    )
    .option('-s, --seed <number>', 'the first seed', wholeNumber(0), 1)
    .option(
      '-n, --runs <number>',
      'how often each scenario runs on each backend: with the first seed and those that follow',
      wholeNumber(1),
      1,
    )
    .option('-o, --out <folder>', 'where the results go', path, 'reports')
    .option('--json', 'print the summary as JSON on standard output, and nothing else there')
    .option('--junit <file>', 'write the verdicts as JUnit XML too', path)
    .option(
      '--strict',
      'exit code 3 if anything was skipped, or if not all runs of all backends agree: for CI that must not lose a backend',
    )
    .addHelpText('after', EXAMPLES)
    .action(async (references: string[], given: Omit<RunOptions, 'backend'> & Partial<RunOptions>) => {
      const options: RunOptions = { ...given, backend: given.backend ?? ['simulated'] };
      // What only this command needs takes longest to load.
      const { runScenarios } = await import('./run-scenarios.ts');
      setExitCode(await runScenarios(references, options, host));
    });
}
