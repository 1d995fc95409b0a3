import { Redis } from 'ioredis';
import type { Address } from '../address.ts';
import { TestbedUnavailableError } from '../../testbed-error.ts';
import { readWallMs } from './read-wall-clock.ts';
import { speaksTls } from './tls-probe.ts';

const ANSWER_WITHIN_MS = 5000;

/** A server takes only clients that speak TLS. */
export class TlsOnlyError extends Error {}

/** A server is older than a run can watch. */
export class OldServerError extends Error {}

/** What a server says of itself. */
export interface ServerFacts {
  /** `7.0.15`, or `valkey-8.1.0`. */
  readonly version: string;
  /** By its own wall clock, in milliseconds since the epoch. */
  readonly wallMs: number;
  /** Where it runs, a container for one, this is the number of its process. */
  readonly processId: number;
}

/**
 * Asks the server at the address who it is; what `inspect` rejects with is passed on. Rejects with the reason if the server does not answer as Redis
 * without a password does: a TlsOnlyError if that is TLS. Rejects with an OldServerError if it is older than
 * Redis 6.2: MONITOR of such a server reports a command before it is run.
 */
export function readServer(
  address: Address,
  inspect: (facts: ServerFacts, client: Redis) => Promise<void> = () => Promise.resolve(),
): Promise<ServerFacts> {
  return talkTo(address, async (client) => {
    const facts = await readFacts(client);
    await inspect(facts, client);
    requireWatchable(facts);
    return facts;
  });
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
    if (error instanceof TestbedUnavailableError || error instanceof OldServerError) throw error;
    const reason = reasons[0] ?? (error as Error);
    if (!wantsPassword(reason) && (await speaksTls(address))) {
      throw new TlsOnlyError('it speaks nothing but TLS', { cause: reason });
    }
    throw reason;
  } finally {
    client.disconnect();
  }
}

async function readFacts(client: Redis): Promise<ServerFacts> {
  const info = await client.info('server');
  const wallMs = await readWallMs(client);
  const field = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const valkey = field('valkey_version');
  const version = valkey === undefined ? field('redis_version') : `valkey-${valkey}`;
  if (version === undefined) throw new Error('it tells no version');
  return {
    version,
    wallMs,
    processId: Number(field('process_id')),
  };
}

/** Every Valkey is younger than Redis 6.2. */
function requireWatchable({ version }: ServerFacts): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < 6 || (major === 6 && minor < 2)) throw new OldServerError(`it is Redis ${version}`);
}
