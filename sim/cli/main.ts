import { isatty } from 'node:tty';
import { EXIT } from './exit-codes.ts';
import type { Host, Output } from './host.ts';
import { runCommandLine } from './program.ts';
import { TESTBEDS } from './testbeds.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * How long after a signal the same one is taken for the same key press: npm passes Ctrl-C on to a process
 * which has got it from the terminal already.
 */
const ECHO_MS = 250;

/** Runs the command line of this process, and sets its exit code. */
export function main(): void {
  // If nothing keeps the process alive although the command is not done, that is a defect too.
  process.exitCode = EXIT.defect;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // Whoever read has had enough, as head does: the results are on disk all the same.
      if (error.code === 'EPIPE') return;
      process.exitCode = EXIT.badInput;
      if (stream !== process.stderr) process.stderr.write(`Standard output cannot be written: ${error.message}\n`);
    });
  }
  const host: Host = {
    stdout: outputOf(process.stdout, 1),
    stderr: outputOf(process.stderr, 2),
    environment: process.env,
    signal: interruption(),
    testbeds: TESTBEDS,
  };
  void runCommandLine(process.argv.slice(2), host).then((code) => {
    process.exitCode = code;
  });
}

function outputOf(stream: NodeJS.WriteStream, descriptor: number): Output {
  return {
    write: (text) => void stream.write(text),
    isTTY: isatty(descriptor),
    get columns() {
      // Node leaves it undefined where there is no terminal, and a terminal that was never told its size says 0.
      return stream.columns === 0 ? undefined : stream.columns;
    },
  };
}

/** A signal that the first Ctrl-C aborts; the second ends the process at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  let firstMs = 0;
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (!controller.signal.aborted) {
        firstMs = performance.now();
        controller.abort(name);
      } else if (performance.now() - firstMs > ECHO_MS) {
        process.exit(EXIT[name]);
      }
    });
  }
  return controller.signal;
}
