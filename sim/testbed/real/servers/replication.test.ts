import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePorts } from '../../processes/free-port.ts';
import { toxiproxyServerProgram } from '../../processes/programs.ts';
import { startToxiproxy, type ToxiproxyProcess } from '../../processes/toxiproxy-process.ts';
import { type RedisServer, startRedisServer } from '../../../../test/redis-server.ts';
import { Proxies } from '../links/proxies.ts';
import { whyNoRealRuns } from '../real-testing.ts';
import { followWithLag } from './replication.ts';
import type { Fleet, FleetServer } from './server-fleet.ts';

const obstacle = whyNoRealRuns();

describe.skipIf(obstacle !== null)(`a replica${obstacle === null ? '' : `: ${obstacle}`}`, () => {
  let toxiproxy: ToxiproxyProcess;
  let primary: RedisServer;
  let replica: RedisServer;
  let proxies: Proxies;
  let clients: readonly [Redis, Redis];

  beforeEach(async () => {
    const [port = 0] = await freePorts(1);
    toxiproxy = await startToxiproxy(toxiproxyServerProgram(), port);
    [primary, replica] = await Promise.all([startRedisServer('--repl-diskless-sync-delay', '0'), startRedisServer()]);
    const address = (_number: number, listen: string): { host: string; port: number } => ({
      host: '127.0.0.1',
      port: Number(listen.split(':')[1]),
    });
    const fleet = {
      servers: new Map([['n1', { upstream: primary.id } as FleetServer]]),
      replicas: new Map([['n1', { upstream: replica.id } as FleetServer]]),
      lines: new Map(),
      toxiproxyUrl: toxiproxy.url,
      proxyListen: () => '127.0.0.1:0',
      proxyAddress: address,
      proxyAddressForServers: address,
      unaskedEnd: () => Promise.resolve(null),
      close: () => Promise.resolve(),
    } satisfies Fleet;
    proxies = await Proxies.create(fleet, []);
    clients = [new Redis(primary.port), new Redis(replica.port)];
  });

  afterEach(async () => {
    for (const client of clients) client.disconnect();
    await Promise.all([primary[Symbol.asyncDispose](), replica[Symbol.asyncDispose](), toxiproxy.stop()]);
  });

  async function untilThere(key: string): Promise<number> {
    const startMs = performance.now();
    while ((await clients[1].exists(key)) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    return performance.now() - startMs;
  }

  it('has what its primary had when it began to follow, and gets what comes later so much later', async () => {
    await clients[0].set('before', '1');
    await followWithLag('n1', 400, proxies);
    expect(await clients[1].get('before')).toBe('1');
    await clients[0].set('after', '1');
    expect(await untilThere('after')).toBeGreaterThan(350);
  });

  // One primary in three would hold it back for a second.
  it.each([1, 2, 3, 4, 5, 6])('gets the first write at once where there is no lag (%d)', async () => {
    await followWithLag('n1', 0, proxies);
    await clients[0].set('first', '1');
    expect(await untilThere('first')).toBeLessThan(700);
  });

  it('gets nothing any more where the lag has no end', async () => {
    await clients[0].set('before', '1');
    await followWithLag('n1', Number.POSITIVE_INFINITY, proxies);
    expect(await clients[1].get('before')).toBe('1');
    await clients[0].set('after', '1');
    // WAIT asks the primary whether anybody has got what it wrote.
    expect(await clients[0].wait(1, 300)).toBe(0);
    expect(await clients[1].get('after')).toBeNull();
  });
});
