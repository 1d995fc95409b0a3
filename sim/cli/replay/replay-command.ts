import type { Command } from 'commander';
import { path } from '../console/arguments.ts';
import type { Host } from '../console/host.ts';
import type { SetExitCode } from '../program.ts';

const EXAMPLES = `
The folder is one that run or explore has written for one run: it holds history.ndjson and verdict.json.

Examples:
  npx distrilock replay reports/kleppmann-gc-pause
  npx distrilock replay reports/explore/mutual-exclusion-without-clock-jump
  npx distrilock replay reports/my-settings/seed-7 --scenario my/my-settings.yaml
  npx distrilock replay reports/contention/processes-6.2.14 --redis-server /opt/redis-6.2/redis-server

Exit codes of replay: 0 it came out the same, 1 it did not, 3 the run was lost, so that nothing could be compared.`;

/** The options of the command, as they were read. */
export interface ReplayOptions {
  readonly scenario?: string;
  readonly redisServer?: string;
}

export function addReplayCommand(program: Command, host: Host, setExitCode: SetExitCode): void {
  program
    .command('replay')
    .description(
      'run again what a folder of results is about, and say whether it comes out the same: byte for byte in the simulation, by its verdicts on real servers',
    )
    .argument('<folder>', 'the folder of one run', path)
    .option('--scenario <scenario>', 'the scenario, if it is neither of the gallery nor beside the folder', path)
    .option('--redis-server <path>', 'the redis-server of a run on the backend processes that named one', path)
    .addHelpText('after', EXAMPLES)
    .action(async (folder: string, options: ReplayOptions) => {
      const { runReplay } = await import('./run-replay.ts');
      setExitCode(await runReplay(folder, options, host));
    });
}
