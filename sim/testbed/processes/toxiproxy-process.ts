import { toxiproxyVersion } from '../real/toxiproxy-version.ts';
import { TestbedUnavailableError } from '../testbed-error.ts';
import type { Program } from './programs.ts';
import { ServerProcess } from './server-process.ts';

const READY_TEXT = 'Starting Toxiproxy HTTP server';
const READY_WITHIN_MS = 10_000;
const ANSWER_WITHIN_MS = 5000;

/** A toxiproxy-server on this machine that answers. */
export interface ToxiproxyProcess {
  readonly url: string;
  readonly version: string;
  /** How it has ended although nobody stopped it, in words; null if it has not. */
  unaskedEnd(): string | null;
  stop(): Promise<void>;
}

/** Starts the program, and asks it who it is. Rejects with a TestbedUnavailableError; it is gone then. */
export async function startToxiproxy(program: Program, port: number): Promise<ToxiproxyProcess> {
  const server = await ServerProcess.start(program, ['-host', '127.0.0.1', '-port', String(port)], {
    readyText: READY_TEXT,
    withinMs: READY_WITHIN_MS,
  });
  const url = `http://127.0.0.1:${port}`;
  try {
    return {
      url,
      version: await versionOf(url, program),
      unaskedEnd: () => (server.unaskedEnd === null ? null : `Toxiproxy ${server.unaskedEnd}`),
      stop: () => server.stop('SIGKILL'),
    };
  } catch (error) {
    await server.stop('SIGKILL');
    throw error;
  }
}

async function versionOf(url: string, { path, remedy }: Program): Promise<string> {
  try {
    return await toxiproxyVersion(url, ANSWER_WITHIN_MS);
  } catch (error) {
    const { message } = error as Error;
    throw new TestbedUnavailableError(`${path} does not answer as Toxiproxy does: ${message}`, remedy, {
      cause: error,
    });
  }
}
