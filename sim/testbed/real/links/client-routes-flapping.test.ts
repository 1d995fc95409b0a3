import { Redis, type RedisOptions } from 'ioredis';
import { Redis as Redis5 } from 'ioredis-5';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Environment } from '../../../../src/environment.ts';
import { LockError } from '../../../../src/errors.ts';
import type { AcquiredLock } from '../../../../src/lock.ts';
import { Redlock } from '../../../../src/redlock.ts';
import { systemEnvironment } from '../../../../src/system-environment.ts';
import { type RedisServer, startRedisServers } from '../../../../test/redis-server.ts';
import { freePorts } from '../../processes/free-port.ts';
import { toxiproxyServerProgram } from '../../processes/programs.ts';
import { startToxiproxy, type ToxiproxyProcess } from '../../processes/toxiproxy-process.ts';
import { RandomStreams, type RandomStream } from '../../random-streams.ts';
import type { Address } from '../address.ts';
import { ClientRoutes } from './client-routes.ts';
import { LinkDisturbances } from './link-disturbances.ts';
import { Proxies } from './proxies.ts';
import { lockCommandsOf } from '../observers/lock-command.ts';
import { MonitorStream } from '../observers/monitor-stream.ts';
import { whyNoRealRuns } from '../real-testing.ts';
import type { Fleet, FleetServer } from '../servers/server-fleet.ts';

const obstacle = whyNoRealRuns();
const NODES = ['n1', 'n2', 'n3'];
const USERS = ['flapping', 'steady'] as const;
const TTL_MS = 300;
const FLAPS_FOR_MS = 2000;
/** How often each client shall have had the lock in spite of all. */
const GRANTS = 4;
const OPTIONS = { retryCount: 2, retryDelay: 10, retryJitter: 20, nodeTimeout: 40 } as const;

/** Between the look at the clock and the command nobody else has a turn, but the machine is busy. */
const HANDED_OVER_MS = 50;
/** On a busy machine a command may be on its way for so long that was sent in time, and be seen so late. */
const UNDER_WAY_MS = 150;

type Client = Redis | Redis5 | RedisOptions;

const OWN = 'connections of its own';

/** How an application may connect: by itself with everything that makes ioredis send commands late or twice, or by leaving it to distrilock. */
const CONNECTIONS: Readonly<Record<string, (address: Address) => Client>> = {
  'ioredis 5 that queues and sends again': (address) => withListener(new Redis5({ ...address, ...EAGER })),
  'ioredis 6 that queues and sends again': (address) => withListener(new Redis({ ...address, ...EAGER })),
  'ioredis 6 with its defaults': (address) => withListener(new Redis(address)),
  [OWN]: (address) => address,
};
const EAGER = { enableOfflineQueue: true, autoResendUnfulfilledCommands: true, maxRetriesPerRequest: null } as const;

function withListener<One extends Redis | Redis5>(client: One): One {
  client.on('error', () => undefined);
  return client;
}

/** Knows who may believe that it holds the lock, by the clock of this one process. */
class Referee {
  readonly clashes: string[] = [];
  readonly grants = new Map<string, number>();
  private holder: { readonly name: string; untilMs: number } | null = null;

  grant(name: string, lock: AcquiredLock): void {
    const nowMs = performance.now();
    if (this.holder !== null && this.holder.untilMs > nowMs && lock.remaining() > 0) {
      this.clashes.push(`${name} got it ${this.holder.untilMs - nowMs} ms before ${this.holder.name} was over`);
    }
    this.grants.set(name, (this.grants.get(name) ?? 0) + 1);
    this.holder = { name, untilMs: nowMs + lock.remaining() };
  }

  prolong(name: string, lock: AcquiredLock): void {
    if (this.holder?.name === name) this.holder.untilMs = performance.now() + lock.remaining();
    else if (lock.remaining() > 0) this.clashes.push(`${name} prolonged what ${this.holder?.name} holds`);
  }

  giveBack(name: string): void {
    if (this.holder?.name === name) this.holder = null;
  }
}

/** Knows when each value was drawn, by the wall clock, which all processes of this machine share: nobody may use it when its caller has given up. */
class Lifetimes {
  /** What came too late. */
  readonly ghosts: string[] = [];
  private readonly drawnMs = new Map<string, number>();
  private readonly extendedMs = new Map<string, number>();

  readonly environment: Environment = {
    ...systemEnvironment,
    random: {
      ...systemEnvironment.random,
      token: () => {
        const value = systemEnvironment.random.token();
        this.drawnMs.set(value, Date.now());
        return value;
      },
    },
  };

  /** The last command that extends the life of the value was sent no later than now. */
  noteExtension(value: string): void {
    this.extendedMs.set(value, Date.now());
  }

  /** ioredis was told to acquire with a value. */
  noteGiven(value: string): void {
    const drawnMs = this.drawnMs.get(value);
    this.check(drawnMs, Date.now(), OPTIONS.nodeTimeout + HANDED_OVER_MS, 'ioredis was told to acquire');
  }

  /** A server has run the SET of a value. */
  noteSet(node: string, value: string, atMs: number): void {
    this.check(this.drawnMs.get(value), atMs, OPTIONS.nodeTimeout + UNDER_WAY_MS, `${node} ran a SET`);
  }

  /** A key was seen to hold the value. */
  noteHeld(node: string, value: string, atMs: number): void {
    const sentMs = this.extendedMs.get(value) ?? this.drawnMs.get(value);
    this.check(sentMs, atMs, OPTIONS.nodeTimeout + TTL_MS + UNDER_WAY_MS, `${node} held a value`);
  }

  /** Others use the same servers: their values are not known here. */
  private check(sinceMs: number | undefined, atMs: number, withinMs: number, what: string): void {
    if (sinceMs === undefined || atMs <= sinceMs + withinMs) return;
    this.ghosts.push(`${what} ${Math.round(atMs - sinceMs)} ms after its caller had begun`);
  }
}

/** Calls `onAcquire` with the value of every lock that any client of ioredis is told to acquire, but not when ioredis sends the command again. */
function watchClients(onAcquire: (value: string) => void): void {
  const known = new WeakSet<object>();
  for (const { prototype } of [Redis, Redis5] as unknown as readonly { readonly prototype: Sender }[]) {
    const send = prototype.sendCommand;
    vi.spyOn(prototype, 'sendCommand').mockImplementation(function (this: unknown, ...words) {
      const [sent] = words;
      if (!known.has(sent)) {
        for (const { command } of lockCommandsOf([sent.name, ...sent.args.map(String)])) {
          if (command.kind === 'acquire') onAcquire(command.value);
        }
      }
      known.add(sent);
      return send.apply(this, words);
    });
  }
}

interface Sender {
  sendCommand: (command: { readonly name: string; readonly args: readonly unknown[] }, ...others: unknown[]) => unknown;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** What fails does so by an error of the library. */
async function attempt<Result>(work: Promise<Result>): Promise<Result | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof LockError) return null;
    throw error;
  }
}

describe.skipIf(obstacle !== null)(`a client whose links flap${obstacle === null ? '' : `: ${obstacle}`}`, () => {
  let servers: RedisServer[];
  let toxiproxy: ToxiproxyProcess;
  let proxies: Proxies;
  let routes: ClientRoutes;
  let direct: Redis[];
  /** Of the tests that go on. */
  const watched = new Set<Lifetimes>();

  beforeAll(async () => {
    const [port = 0] = await freePorts(1);
    [servers, toxiproxy] = await Promise.all([
      startRedisServers(NODES.length),
      startToxiproxy(toxiproxyServerProgram(), port),
    ]);
    const address = (_number: number, listen: string): Address => ({
      host: '127.0.0.1',
      port: Number(listen.split(':')[1]),
    });
    const fleet: Fleet = {
      servers: new Map(NODES.map((name, index) => [name, { upstream: servers[index]?.id } as FleetServer])),
      replicas: new Map(),
      lines: new Map(),
      toxiproxyUrl: toxiproxy.url,
      proxyListen: () => '127.0.0.1:0',
      proxyAddress: address,
      proxyAddressForServers: address,
      unaskedEnd: () => Promise.resolve(null),
      close: () => Promise.resolve(),
    };
    proxies = await Proxies.create(fleet, Object.keys(CONNECTIONS));
    routes = new ClientRoutes({
      proxies,
      disturbances: new LinkDisturbances(),
      nowUs: () => Math.round(performance.now() * 1000),
      pass: sleep,
      fail: (error) => {
        throw error;
      },
    });
    direct = servers.map((server) => new Redis(server.port));
    watchClients((value) => {
      for (const lifetimes of watched) lifetimes.noteGiven(value);
    });
  });

  afterAll(async () => {
    vi.restoreAllMocks();
    for (const client of direct) client.disconnect();
    await Promise.all([...servers.map((server) => server[Symbol.asyncDispose]()), toxiproxy.stop()]);
  });

  /** Makes the links of a client fail in quick succession, each in its own rhythm, and leaves them whole. */
  async function flap(client: string, node: string, random: RandomStream, isDone: () => boolean): Promise<void> {
    const shortly = (): Promise<void> => sleep(5 + random.fraction() * 60);
    while (!isDone()) {
      // Long enough now and then for a connection to be made, and for a lock.
      await sleep(random.fraction() * 250);
      const draw = Math.floor(random.fraction() * 6);
      if (draw === 0) await routes.reset(client, node, null);
      else if (draw === 1) {
        await routes.close(client, node, null);
        await shortly();
        await routes.open(client, node);
      } else if (draw === 5) {
        // The handshake of a new connection then takes so long that what waits for it is late.
        const toxic = { type: 'latency', attributes: { latency: 300, jitter: 0 } } as const;
        const end = await routes.poison(
          client,
          node,
          { toxic, directions: ['reply'], effect: 'slow', leastDelayUs: () => 0 },
          1,
        );
        await routes.reset(client, node, null);
        await sleep(500);
        await end();
      } else {
        const direction = draw === 3 ? ('request' as const) : ('reply' as const);
        const toxic =
          draw === 4
            ? ({ type: 'latency', attributes: { latency: 30, jitter: 0 } } as const)
            : ({ type: 'timeout', attributes: { timeout: 0 } } as const);
        const end = await routes.poison(
          client,
          node,
          { toxic, directions: [direction], effect: 'cut', leastDelayUs: () => 0 },
          1,
        );
        await shortly();
        await end();
      }
    }
  }

  async function useLock(
    name: string,
    redlock: Redlock,
    resource: string,
    { referee, lifetimes }: { readonly referee: Referee; readonly lifetimes: Lifetimes },
    random: RandomStream,
    isDone: () => boolean,
  ): Promise<void> {
    while (!isDone()) {
      await sleep(random.fraction() * 20);
      const lock = await attempt(redlock.acquire(resource, TTL_MS));
      if (lock === null) continue;
      referee.grant(name, lock);
      await sleep(random.fraction() * 20);
      if (random.fraction() < 0.5) {
        if ((await attempt(lock.extend(TTL_MS))) !== null) referee.prolong(name, lock);
        lifetimes.noteExtension(lock.value);
      }
      await sleep(random.fraction() * 20);
      // Some locks are left to themselves.
      if (random.fraction() < 0.2) continue;
      referee.giveBack(name);
      await attempt(lock.release());
    }
  }

  /** Sees every SET of the key that a server runs, and looks all the time what the key holds. Resolves to what ends that. */
  async function watch(key: string, lifetimes: Lifetimes): Promise<() => Promise<void>> {
    const monitors = await Promise.all(
      servers.map(({ port }, index) =>
        MonitorStream.open(
          { host: '127.0.0.1', port },
          {
            onLine: ({ args: [command = '', name = '', value = ''], wallMs }) => {
              if (command.toLowerCase() === 'set' && name === key) lifetimes.noteSet(NODES[index] ?? '', value, wallMs);
            },
            onKeyGone: () => undefined,
          },
        ),
      ),
    );
    let isOver = false;
    const look = async (client: Redis, index: number): Promise<void> => {
      while (!isOver) {
        // It held that no later than when it was asked: the answer may be late.
        const askedMs = Date.now();
        const value = await client.get(key);
        if (value !== null) lifetimes.noteHeld(NODES[index] ?? '', value, askedMs);
        await sleep(3);
      }
    };
    const looks = Promise.all(direct.map(look));
    return async () => {
      isOver = true;
      await looks;
      for (const monitor of monitors) monitor.close();
    };
  }

  it.concurrent.each(Object.keys(CONNECTIONS))(
    '%s: never shares the lock, sends nothing late, and leaves no key behind',
    { timeout: 40_000 },
    async (name) => {
      const connection = CONNECTIONS[name] as (address: Address) => Client;
      const streams = new RandomStreams(20_260_101);
      const clients = NODES.map((node) => connection(proxies.address(name, node)));
      const lifetimes = new Lifetimes();
      watched.add(lifetimes);
      const options = { ...OPTIONS, environment: lifetimes.environment };
      const flapping = new Redlock(clients as Redis[], options);
      const steady = new Redlock(
        servers.map(({ port }) => ({ host: '127.0.0.1', port })),
        options,
      );
      const referee = new Referee();
      const resource = `of ${name}`;
      const startMs = performance.now();
      const isDone = (): boolean =>
        performance.now() > startMs + FLAPS_FOR_MS && USERS.every((user) => (referee.grants.get(user) ?? 0) >= GRANTS);
      // A client that is not distrilock's own may be set to send again by itself what it was given in time.
      const endWatch = name === OWN ? await watch(`lock:${resource}`, lifetimes) : null;
      await Promise.all([
        useLock('flapping', flapping, resource, { referee, lifetimes }, streams.stream('flapping'), isDone),
        useLock('steady', steady, resource, { referee, lifetimes }, streams.stream('steady'), isDone),
        ...NODES.map((node) => flap(name, node, streams.stream(node), isDone)),
      ]);
      // Whatever ioredis has kept, it sends now that its links are whole, or never.
      const healed = await attempt(flapping.acquire(resource, TTL_MS, { retryCount: 100 }));
      expect(healed).not.toBeNull();
      // An answer may still be under way on a link that was slow; the key goes by its time in any case.
      if (healed !== null) await attempt(healed.release());
      await sleep(TTL_MS + 50);
      for (const client of direct) expect(await client.exists(`lock:${resource}`)).toBe(0);
      await endWatch?.();
      expect(lifetimes.ghosts).toEqual([]);
      expect(referee.clashes).toEqual([]);
      await Promise.all([flapping.quit(), steady.quit()]);
    },
  );
});
