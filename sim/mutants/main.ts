import { EXIT } from '../cli/console/exit-codes.ts';
import { interruption } from '../cli/console/interruption.ts';
import { outputOf } from '../cli/console/process-output.ts';
import { runMutants } from './command.ts';

/** The program behind `npm run mutants`. */
function main(): void {
  const signal = interruption({
    source: process,
    nowMs: () => performance.now(),
    kill: (name) => process.exit(EXIT[name]),
  });
  const host = {
    stdout: outputOf(process.stdout, 1),
    stderr: outputOf(process.stderr, 2),
    environment: process.env,
    signal,
  };
  void runMutants(process.argv.slice(2), host).then(
    (code) => (process.exitCode = code),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      process.exitCode = EXIT.defect;
    },
  );
}

main();
