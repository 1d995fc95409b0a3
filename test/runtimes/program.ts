/**
 * What a service does with distrilock, all of it once. `npm run runtimes` compiles it to ES modules and to CommonJS and runs it on every runtime,
 * against three redis-servers that are its own: it stops two of them. It prints one line of JSON, and then has nothing left to do, so that the process must end.
 */
import { subscribe } from 'node:diagnostics_channel';
import {
  AbortedError,
  AcquiredLock,
  ContendedError,
  ExtensionRefusedError,
  LockError,
  Redlock,
  type RedlockOptions,
  UnreachableError,
} from 'distrilock';
import { instrumentRedlock } from 'distrilock/opentelemetry';
import { Redis } from 'ioredis';

const HOST = '127.0.0.1';
const RESOURCE = 'invoices';
const KEY = `lock:${RESOURCE}`;
const TTL_MS = 10_000;
/** Work under a lock waits for an extension, which comes after half of this. */
const SHORT_TTL_MS = 1_000;

type Step = readonly [name: string, work: () => Promise<void>];

function check(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(`it is not so that ${what}`);
}

/** The error by which it rejects; an error if it does not. */
async function rejection(work: Promise<unknown>): Promise<LockError> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof LockError)) throw new Error('it should have rejected with a LockError', { cause: error });
  return error;
}

function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else {
      signal.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
    }
  });
}

/** Stops the server, and resolves when its connections are closed. */
async function stopServer(port: number): Promise<void> {
  const client = new Redis({ host: HOST, port, retryStrategy: () => null });
  client.on('error', () => undefined);
  const closed = new Promise((resolve) => client.once('end', resolve));
  // It gets no answer: a server that obeys is gone.
  client.shutdown('NOSAVE').catch(() => undefined);
  await closed;
}

function steps(ports: readonly [number, number, number]): readonly Step[] {
  const [first, second, third] = ports;
  const options: RedlockOptions = { fencing: true, retryCount: 0, nodeTimeout: 2_000 };
  const redlock = new Redlock(
    // distrilock connects to one, and gets two clients of this program's own ioredis.
    [{ host: HOST, port: first }, new Redis({ host: HOST, port: second }), new Redis({ host: HOST, port: third })],
    options,
  );
  const other = new Redlock(
    ports.map((port) => ({ host: HOST, port })),
    options,
  );
  const onlookers = ports.map((port) => new Redis({ host: HOST, port }));
  for (const onlooker of onlookers) onlooker.on('error', () => undefined);
  const stopInstrumenting = instrumentRedlock(redlock);
  let published = 0;
  subscribe('distrilock:acquired', () => (published += 1));
  let tokenBefore = 0;

  /** Takes the lock, and checks what is true of every lock. */
  const acquire = async (from: Redlock): Promise<AcquiredLock> => {
    const lock = await from.acquire(RESOURCE, TTL_MS);
    check(lock instanceof AcquiredLock, 'a lock is an AcquiredLock');
    check(lock.validity > 0 && lock.validity < TTL_MS, 'the validity is a part of the time to live');
    const token = lock.token ?? Number.NaN;
    check(Number.isSafeInteger(token) && token > tokenBefore, 'fencing tokens are safe integers and rise');
    tokenBefore = token;
    return lock;
  };

  let held: AcquiredLock;
  return [
    [
      'acquire',
      async () => {
        held = await acquire(redlock);
        const values = await Promise.all(onlookers.map((onlooker) => onlooker.get(KEY)));
        check(values.filter((value) => value === held.value).length >= 2, 'a quorum of nodes holds the lock');
      },
    ],
    [
      'contend',
      async () => {
        const error = await rejection(other.acquire(RESOURCE, TTL_MS));
        check(error instanceof ContendedError, 'a lock that others hold is contended');
        check(error.outcomes.length === 3, 'an error says what each of three nodes said');
      },
    ],
    [
      'abort',
      async () => {
        const caller = new AbortController();
        const leave = other.on('attempt', () => {
          caller.abort();
        });
        const waiting = other.acquire(RESOURCE, TTL_MS, { retryCount: -1, signal: caller.signal });
        check((await rejection(waiting)) instanceof AbortedError, 'a signal ends the wait');
        leave();
      },
    ],
    [
      'extend',
      async () => {
        const validityBefore = held.remaining();
        const extended = await held.extend(TTL_MS * 2);
        check(extended === held && held.remaining() > validityBefore, 'an extension gives more time');
      },
    ],
    [
      'release',
      async () => {
        await held.release();
        check(held.released, 'a released lock says so');
        const next = await acquire(other);
        await next.release();
      },
    ],
    [
      'using',
      async () => {
        const result = await redlock.using(RESOURCE, SHORT_TTL_MS, async (signal, lock) => {
          await new Promise((resolve) => redlock.on('extended', resolve));
          check(!signal.aborted && lock.remaining() > 0, 'an automatic extension keeps the lock');
          return 'result';
        });
        check(result === 'result', 'using resolves to what the routine returns');
        await (await acquire(other)).release();
      },
    ],
    [
      'lost lock',
      async () => {
        const lost = redlock.using(RESOURCE, SHORT_TTL_MS, async (signal) => {
          await Promise.all(onlookers.map((onlooker) => onlooker.del(KEY)));
          await fired(signal);
        });
        check((await rejection(lost)) instanceof ExtensionRefusedError, 'the signal tells that a lock was lost');
      },
    ],
    [
      'await using',
      async () => {
        {
          await using lock = await acquire(redlock);
          check((await rejection(other.acquire(RESOURCE, TTL_MS))).code === 'contended', `${lock.resource} is locked`);
        }
        await (await acquire(other)).release();
      },
    ],
    [
      'telemetry',
      () => {
        check(published > 0, 'the diagnostics channel was told of locks');
        stopInstrumenting();
        return Promise.resolve();
      },
    ],
    [
      'one node dead',
      async () => {
        await stopServer(third);
        const lock = await acquire(redlock);
        check(
          (await rejection(other.acquire(RESOURCE, TTL_MS))).code === 'contended',
          'two nodes of three are a quorum',
        );
        await lock.extend(TTL_MS);
        await lock.release();
        await (await acquire(other)).release();
      },
    ],
    [
      'two nodes dead',
      async () => {
        await stopServer(second);
        const error = await rejection(redlock.acquire(RESOURCE, TTL_MS));
        check(error instanceof UnreachableError, 'one node of three is no quorum');
      },
    ],
    [
      'quit',
      async () => {
        for (const onlooker of onlookers) onlooker.disconnect();
        await redlock.quit();
        await other.quit();
      },
    ],
  ];
}

/** The runtime that really runs this, and its version. */
function runtimeName(): string {
  const { bun, deno, node } = process.versions as Record<string, string | undefined>;
  if (bun !== undefined) return `bun ${bun}`;
  return deno === undefined ? `node ${node}` : `deno ${deno}`;
}

/**
 * Runs the program on the ports that the command line names.
 *
 * @param entries what the other entry points of the package export, by name
 */
export async function main(entries: Readonly<Record<string, object>>): Promise<void> {
  const ports = process.argv.slice(2).map(Number) as [number, number, number];
  const passed: string[] = [];
  let current = 'imports';
  try {
    for (const [name, entry] of Object.entries(entries))
      check(Object.keys(entry).length > 0, `${name} exports anything`);
    passed.push(current);
    for (const [name, work] of steps(ports)) {
      current = name;
      await work();
      passed.push(name);
    }
  } catch (error) {
    console.error(`At the step "${current}":`, error);
    process.exit(1);
  }
  console.log(JSON.stringify({ runtime: runtimeName(), passed }));
}
