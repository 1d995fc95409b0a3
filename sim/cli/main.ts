import { visibleText } from '../text/visible-text.ts';
import { EXIT } from './console/exit-codes.ts';
import type { Host } from './console/host.ts';
import { interruption, killedText } from './console/interruption.ts';
import { outputOf } from './console/process-output.ts';
import { runCommandLine } from './program.ts';
import { TESTBEDS } from './testbeds.ts';

/** Runs the command line of this process, and sets its exit code. */
export function main(): void {
  let isDone = false;
  process.on('exit', () => {
    // Packages that hook into the exit set a code of 0 before this is called.
    if (isDone || (process.exitCode ?? 0) !== 0) return;
    // Nothing keeps the process alive although the command is not done.
    process.stderr.write(
      'distrilock has a defect: it came to a standstill. Please report it, with the command line.\n',
    );
    process.exitCode = EXIT.defect;
  });
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // Whoever read has had enough, as head does: the results are on disk all the same.
      if (error.code === 'EPIPE') return;
      process.exitCode = EXIT.badInput;
      if (stream !== process.stderr) process.stderr.write(`Standard output cannot be written: ${error.message}\n`);
    });
  }
  let lastWords = (): string | null => null;
  const host: Host = {
    stdout: outputOf(process.stdout, 1),
    stderr: outputOf(process.stderr, 2),
    environment: process.env,
    signal: interruption({
      source: process,
      nowMs: () => performance.now(),
      kill: (name) => {
        const words = lastWords();
        process.stderr.write(`${visibleText(killedText(name, words))}\n`);
        process.exit(EXIT[name]);
      },
    }),
    setLastWords: (words) => (lastWords = words),
    testbeds: TESTBEDS,
  };
  void runCommandLine(process.argv.slice(2), host).then((code) => {
    isDone = true;
    process.exitCode ??= code;
  });
}
