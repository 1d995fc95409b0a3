import { isatty } from 'node:tty';
import type { Output } from './host.ts';

/** Standard output (descriptor 1) or standard error (2) of this process, as commands use it. */
export function outputOf(stream: NodeJS.WriteStream, descriptor: number): Output {
  return {
    write: (text) => void stream.write(text),
    isTTY: isatty(descriptor),
    get columns() {
      // Node leaves it undefined where there is no terminal, and a terminal that was never told its size says 0.
      return stream.columns === 0 ? undefined : stream.columns;
    },
  };
}
