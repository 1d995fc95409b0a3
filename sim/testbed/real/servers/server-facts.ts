import { Redis } from 'ioredis';
import type { Address } from '../client/client-messages.ts';
import { TestbedUnavailableError } from '../../testbed-error.ts';
import type { Program } from '../../processes/programs.ts';
import { speaksTls } from './tls-probe.ts';

const ANSWER_WITHIN_MS = 5000;

/** A server takes only clients that speak TLS. */
export class TlsOnlyError extends Error {}

/** What a server says of itself. */
export interface ServerFacts {
  /** `7.0.15`, or `valkey-8.1.0`. */
  readonly version: string;
  /** By its own wall clock, in milliseconds since the epoch. */
  readonly wallMs: number;
}

/**
 * Asks the server that `program` started as the process `pid` who it is. Rejects with a TestbedUnavailableError if it wants a password, speaks another
 * protocol, or is another process: then it is told to end as well.
 */
export async function askServer(port: number, pid: number, program: Program): Promise<ServerFacts> {
  return talkTo({ host: '127.0.0.1', port }, async (client) => {
    const facts = await readFacts(client);
    if (facts.processId !== pid) {
      await client.shutdown('NOSAVE').catch(() => undefined);
      throw new TestbedUnavailableError(
        `${program.path} runs the server as another process (${facts.processId}) than the one that was started (${pid}), which could be neither paused nor killed`,
        'let it run in the foreground; a script begins its last line with exec',
      );
    }
    return facts;
  }).catch((error: unknown) => {
    throw error instanceof TestbedUnavailableError ? error : refusal(error as Error, program);
  });
}

/** Asks the server at the address who it is. Rejects with the reason if it does not answer as Redis without a password does; a TlsOnlyError if that is TLS. */
export function readServer(address: Address): Promise<ServerFacts> {
  return talkTo(address, readFacts);
}

/** Whether a server refused because it wants a password. */
export function wantsPassword(error: Error): boolean {
  return /NOAUTH|NOPERM|WRONGPASS/.test(error.message);
}

async function talkTo<Result>(address: Address, talk: (client: Redis) => Promise<Result>): Promise<Result> {
  const client = new Redis({
    ...address,
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: ANSWER_WITHIN_MS,
    commandTimeout: ANSWER_WITHIN_MS,
  });
  // Why a connection was closed is told here, and not by the command that suffers from it.
  const reasons: Error[] = [];
  client.on('error', (error: Error) => reasons.push(error));
  try {
    await client.connect();
    return await talk(client);
  } catch (error) {
    if (error instanceof TestbedUnavailableError) throw error;
    const reason = reasons[0] ?? (error as Error);
    if (!wantsPassword(reason) && (await speaksTls(address))) {
      throw new TlsOnlyError('it speaks nothing but TLS', { cause: reason });
    }
    throw reason;
  } finally {
    client.disconnect();
  }
}

async function readFacts(client: Redis): Promise<ServerFacts & { readonly processId: number }> {
  const info = await client.info('server');
  const [seconds, microseconds] = await client.time();
  const field = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const valkey = field('valkey_version');
  const version = valkey === undefined ? field('redis_version') : `valkey-${valkey}`;
  if (version === undefined) throw new Error('it tells no version');
  return {
    version,
    wallMs: Number(seconds) * 1000 + Number(microseconds) / 1000,
    processId: Number(field('process_id')),
  };
}

function refusal(error: Error, { path, remedy }: Program): TestbedUnavailableError {
  if (wantsPassword(error)) {
    return new TestbedUnavailableError(
      `the server that ${path} starts demands a password`,
      'take requirepass and users out of its settings: the servers of a run listen on 127.0.0.1 alone, and end with it',
      { cause: error },
    );
  }
  if (error instanceof TlsOnlyError) {
    return new TestbedUnavailableError(
      `the server that ${path} starts speaks nothing but TLS`,
      'take tls-port out of its settings: the servers of a run listen on 127.0.0.1 alone, and end with it',
      { cause: error },
    );
  }
  return new TestbedUnavailableError(
    `the server that ${path} starts does not answer as Redis without TLS does: ${error.message}`,
    `let it listen without TLS on the port that it is given, or ${remedy}`,
    { cause: error },
  );
}
