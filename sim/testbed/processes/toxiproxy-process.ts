import { setTimeout } from 'node:timers/promises';
import { TestbedUnavailableError } from '../testbed-error.ts';
import type { Program } from './programs.ts';
import { ServerProcess } from './server-process.ts';

const READY_TEXT = 'Starting Toxiproxy HTTP server';
const READY_WITHIN_MS = 10_000;
const ANSWER_WITHIN_MS = 5000;
const ASK_EVERY_MS = 5;

/** A toxiproxy-server on this machine that answers. */
export interface ToxiproxyProcess {
  readonly url: string;
  readonly version: string;
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
    return { url, version: await versionOf(url, program), stop: () => server.stop('SIGKILL') };
  } catch (error) {
    await server.stop('SIGKILL');
    throw error;
  }
}

async function versionOf(url: string, { path, remedy }: Program): Promise<string> {
  try {
    const { version } = (await firstAnswer(`${url}/version`)) as { readonly version?: unknown };
    if (typeof version !== 'string') throw new Error('it tells no version');
    return version;
  } catch (error) {
    const { message, cause } = error as Error;
    const reason = cause instanceof Error ? `${message} (${cause.message})` : message;
    throw new TestbedUnavailableError(`${path} does not answer as Toxiproxy does: ${reason}`, remedy, { cause: error });
  }
}

/** Toxiproxy says that it starts to listen a moment before it does. */
async function firstAnswer(url: string): Promise<unknown> {
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  for (;;) {
    try {
      const response = await fetch(url, { signal });
      return await response.json();
    } catch (error) {
      const { cause } = error as { readonly cause?: { readonly code?: unknown } };
      if (cause?.code !== 'ECONNREFUSED' || signal.aborted) throw error;
      await setTimeout(ASK_EVERY_MS);
    }
  }
}
