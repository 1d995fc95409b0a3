import { Redis, type RedisOptions } from 'ioredis';
import { Redis as Redis5 } from 'ioredis-5';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LockError } from '../../../../src/errors.ts';
import type { AcquiredLock } from '../../../../src/lock.ts';
import { Redlock } from '../../../../src/redlock.ts';
import { type RedisServer, startRedisServers } from '../../../../test/redis-server.ts';
import { freePorts } from '../../processes/free-port.ts';
import { toxiproxyServerProgram } from '../../processes/programs.ts';
import { startToxiproxy, type ToxiproxyProcess } from '../../processes/toxiproxy-process.ts';
import { RandomStreams, type RandomStream } from '../../random-streams.ts';
import type { Address } from '../address.ts';
import { ClientRoutes } from './client-routes.ts';
import { LinkDisturbances } from './link-disturbances.ts';
import { Proxies } from './proxies.ts';
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

type Client = Redis | Redis5 | RedisOptions;

/** How an application may connect: by itself with everything that makes ioredis send commands late or twice, or by leaving it to distrilock. */
const CONNECTIONS: Readonly<Record<string, (address: Address) => Client>> = {
  'ioredis 5 that queues and sends again': (address) => withListener(new Redis5({ ...address, ...EAGER })),
  'ioredis 6 that queues and sends again': (address) => withListener(new Redis({ ...address, ...EAGER })),
  'ioredis 6 with its defaults': (address) => withListener(new Redis(address)),
  'connections of its own': (address) => address,
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
  });

  afterAll(async () => {
    for (const client of direct) client.disconnect();
    await Promise.all([...servers.map((server) => server[Symbol.asyncDispose]()), toxiproxy.stop()]);
  });

  /** Makes the links of a client fail in quick succession, each in its own rhythm, and leaves them whole. */
  async function flap(client: string, node: string, random: RandomStream, isDone: () => boolean): Promise<void> {
    const shortly = (): Promise<void> => sleep(5 + random.fraction() * 60);
    while (!isDone()) {
      // Long enough now and then for a connection to be made, and for a lock.
      await sleep(random.fraction() * 250);
      const draw = Math.floor(random.fraction() * 5);
      if (draw === 0) await routes.reset(client, node, null);
      else if (draw === 1) {
        await routes.close(client, node, null);
        await shortly();
        await routes.open(client, node);
      } else {
        const direction = draw === 3 ? ('request' as const) : ('reply' as const);
        const toxic =
          draw === 4
            ? ({ type: 'latency', attributes: { latency: 30, jitter: 0 } } as const)
            : ({ type: 'timeout', attributes: { timeout: 0 } } as const);
        const end = await routes.poison(client, node, { toxic, directions: [direction], effect: 'cut' }, 1);
        await shortly();
        await end();
      }
    }
  }

  async function useLock(
    name: string,
    redlock: Redlock,
    resource: string,
    referee: Referee,
    random: RandomStream,
    isDone: () => boolean,
  ): Promise<void> {
    while (!isDone()) {
      await sleep(random.fraction() * 20);
      const lock = await attempt(redlock.acquire(resource, TTL_MS));
      if (lock === null) continue;
      referee.grant(name, lock);
      await sleep(random.fraction() * 20);
      if (random.fraction() < 0.5 && (await attempt(lock.extend(TTL_MS))) !== null) referee.prolong(name, lock);
      await sleep(random.fraction() * 20);
      // Some locks are left to themselves.
      if (random.fraction() < 0.2) continue;
      referee.giveBack(name);
      await attempt(lock.release());
    }
  }

  /** Looks all the time how long the keys of the resource live, and until they are gone for good. */
  async function longestLifeMs(key: string, isOver: () => boolean): Promise<number> {
    let longestMs = 0;
    while (!isOver()) {
      longestMs = Math.max(longestMs, ...(await Promise.all(direct.map((client) => client.pttl(key)))));
      await sleep(3);
    }
    return longestMs;
  }

  it.concurrent.each(Object.keys(CONNECTIONS))(
    '%s: never shares the lock, and leaves no key behind for longer than it may live',
    { timeout: 40_000 },
    async (name) => {
      const connection = CONNECTIONS[name] as (address: Address) => Client;
      const streams = new RandomStreams(20_260_101);
      const clients = NODES.map((node) => connection(proxies.address(name, node)));
      const flapping = new Redlock(clients as Redis[], OPTIONS);
      const steady = new Redlock(
        servers.map(({ port }) => ({ host: '127.0.0.1', port })),
        OPTIONS,
      );
      const referee = new Referee();
      const resource = `of ${name}`;
      const startMs = performance.now();
      const isDone = (): boolean =>
        performance.now() > startMs + FLAPS_FOR_MS && USERS.every((user) => (referee.grants.get(user) ?? 0) >= GRANTS);
      let isOver = false;
      const life = longestLifeMs(`lock:${resource}`, () => isOver);
      await Promise.all([
        useLock('flapping', flapping, resource, referee, streams.stream('flapping'), isDone),
        useLock('steady', steady, resource, referee, streams.stream('steady'), isDone),
        ...NODES.map((node) => flap(name, node, streams.stream(node), isDone)),
      ]);
      // Whatever ioredis has kept, it sends now that its links are whole, or never.
      const healed = await attempt(flapping.acquire(resource, TTL_MS, { retryCount: 100 }));
      expect(healed).not.toBeNull();
      if (healed !== null) await healed.release();
      await sleep(TTL_MS + 50);
      for (const client of direct) expect(await client.exists(`lock:${resource}`)).toBe(0);
      isOver = true;
      expect(await life).toBeLessThanOrEqual(TTL_MS);
      expect(referee.clashes).toEqual([]);
      await Promise.all([flapping.quit(), steady.quit()]);
    },
  );
});
