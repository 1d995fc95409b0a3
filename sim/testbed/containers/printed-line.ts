import { PassThrough } from 'node:stream';
import { createInterface } from 'node:readline';
import type Dockerode from 'dockerode';
import type { WaitStrategy } from 'testcontainers';
import { clipText } from '../../text/visible-text.ts';
import { RunLostError } from '../testbed-error.ts';

/** Of what a container printed that does not work, so much is told. */
const KEPT_LINES = 3;
const LINE_LENGTH = 160;

/**
 * Resolves once the container prints a line that contains `text`, from `since` (seconds since the epoch) on. Rejects with what it printed
 * if it ends before, or is late.
 */
export async function printedLine(
  container: Dockerode.Container,
  text: string,
  options: { readonly since: number; readonly withinMs: number },
): Promise<void> {
  const stream = await container.logs({ follow: true, stdout: true, stderr: true, since: options.since });
  const output = new PassThrough();
  (container.modem as Dockerode['modem']).demuxStream(stream, output, output);
  stream.once('end', () => output.end());
  stream.once('error', (error: Error) => output.destroy(error));
  const printed: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (problem: string): void => {
        reject(new Error([problem, ...printed.map(shortLine)].join('\n  ')));
      };
      createInterface({ input: output })
        .on('line', (line) => {
          printed.push(line);
          if (printed.length > KEPT_LINES) printed.shift();
          if (line.includes(text)) resolve();
        })
        .once('close', () => {
          if (output.errored === null) fail('it ended at once');
        });
      output.once('error', (error) => {
        reject(new RunLostError(`Docker broke off what it told of a container: ${error.message}`, { cause: error }));
      });
      timer = setTimeout(fail, options.withinMs, `it was not ready within ${options.withinMs} ms`);
    });
  } finally {
    clearTimeout(timer);
    (stream as NodeJS.ReadableStream & { destroy(): void }).destroy();
  }
}

function shortLine(line: string): string {
  return clipText(line, LINE_LENGTH);
}

/** What the container printed last, in a few lines that follow upon another. */
export async function lastLines(container: Dockerode.Container): Promise<string> {
  let rest: Buffer = await container.logs({ stdout: true, stderr: true, tail: KEPT_LINES });
  let text = '';
  // Each piece has a head of eight bytes: where it was printed, and its length.
  while (rest.length >= 8) {
    const end = 8 + rest.readUInt32BE(4);
    text += rest.toString('utf8', 8, end);
    rest = rest.subarray(end);
  }
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `\n  ${shortLine(line)}`)
    .join('');
}

/** A wait of testcontainers for what only the caller knows. */
export class ReadyWhen implements WaitStrategy {
  private readonly isReady: WaitStrategy['waitUntilReady'];

  constructor(isReady: WaitStrategy['waitUntilReady']) {
    this.isReady = isReady;
  }

  waitUntilReady(...args: Parameters<WaitStrategy['waitUntilReady']>): Promise<void> {
    return this.isReady(...args);
  }

  withStartupTimeout(): WaitStrategy {
    return this;
  }

  isStartupTimeoutSet(): boolean {
    return true;
  }

  getStartupTimeout(): number {
    return 0;
  }
}
