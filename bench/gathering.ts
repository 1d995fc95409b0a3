/**
 * What it brings that the commands of one tick travel together: `npm run bench:gathering`, with `--quick` for a look and `--json` for machines.
 * Both ways run in turns in the same process, on five local redis-servers; where there are two cores, clients have one and servers the other.
 */
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import type { Environment } from '../src/environment.ts';
import { IoredisNode } from '../src/ioredis-node.ts';
import { Redlock } from '../src/redlock.ts';
import { systemEnvironment } from '../src/system-environment.ts';
import { type RedisServer, startRedisServers } from '../test/redis-server.ts';

const NODES = 5;
const CONCURRENCIES = [1, 50, 500];
const TTL_MS = 30_000;
const WAYS = ['alone', 'together'] as const;
type Way = (typeof WAYS)[number];

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
});
const ROUNDS = options.quick ? 3 : 15;
const ROUND_MS = options.quick ? 100 : 300;

interface Round {
  readonly cyclesPerSecond: number;
  readonly medianMs: number;
}

interface Figures extends Round {
  readonly concurrency: number;
  readonly way: Way;
}

/** A Redlock over the clients. To send every command alone it takes them for clusters, in which commands are never gathered. */
function redlockOver(clients: readonly Redis[], way: Way, environment: Environment): Redlock {
  const nodes = clients.map((client, index) => {
    const isCluster = way === 'alone';
    const shown = new Proxy(client, {
      get(target, name): unknown {
        return name === 'isCluster' ? isCluster : (Reflect.get(target, name, target) as unknown);
      },
    });
    return new IoredisNode(`n${index + 1}`, shown, { owned: false, environment });
  });
  return new Redlock(nodes);
}

/** Acquires and releases locks, each on a resource of its own, so many at a time. */
async function timeRound(redlock: Redlock, concurrency: number): Promise<Round> {
  const latenciesMs: number[] = [];
  const start = performance.now();
  const end = start + ROUND_MS;
  const cycleUntilEnd = async (name: string): Promise<void> => {
    for (let begun = performance.now(); begun < end; begun = performance.now()) {
      const lock = await redlock.acquire(name, TTL_MS);
      await lock.release();
      latenciesMs.push(performance.now() - begun);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, (_, index) => cycleUntilEnd(`r${index}`)));
  return {
    cyclesPerSecond: latenciesMs.length / ((performance.now() - start) / 1000),
    medianMs: median(latenciesMs),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Servers on one core and this process on the other, as far as the machine has them. */
async function pin(clients: readonly Redis[]): Promise<void> {
  if (process.platform !== 'linux' || availableParallelism() < 2) return;
  for (const client of clients) {
    const pid = /^process_id:(\d+)/m.exec(await client.info('server'))?.[1] ?? '';
    execFileSync('taskset', ['-acp', '1', pid]);
  }
  execFileSync('taskset', ['-acp', '0', String(process.pid)]);
}

async function measure(clients: readonly Redis[]): Promise<Figures[]> {
  const redlocks = new Map(WAYS.map((way) => [way, redlockOver(clients, way, systemEnvironment)]));
  const figures: Figures[] = [];
  for (const concurrency of CONCURRENCIES) {
    const rounds = new Map<Way, Round[]>(WAYS.map((way) => [way, []]));
    // The first round warms up.
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const [way, redlock] of round % 2 === 0 ? redlocks : [...redlocks].reverse()) {
        const result = await timeRound(redlock, concurrency);
        if (round > 0) rounds.get(way)?.push(result);
      }
    }
    for (const [way, all] of rounds) {
      const cyclesPerSecond = median(all.map((round) => round.cyclesPerSecond));
      figures.push({ concurrency, way, cyclesPerSecond, medianMs: median(all.map((round) => round.medianMs)) });
    }
  }
  return figures;
}

function report(figures: readonly Figures[]): void {
  for (const concurrency of CONCURRENCIES) {
    const [alone, together] = WAYS.map((wanted) =>
      figures.find((one) => one.concurrency === concurrency && one.way === wanted),
    ) as [Figures, Figures];
    for (const { way, cyclesPerSecond, medianMs } of [alone, together]) {
      const speed = Math.round(cyclesPerSecond).toLocaleString('en').padStart(7);
      console.log(
        `${String(concurrency).padStart(3)} at a time, ${way.padEnd(8)}: ${speed} cycles/s, median ${medianMs.toFixed(2)} ms`,
      );
    }
    console.log(`    together ${(together.cyclesPerSecond / alone.cyclesPerSecond).toFixed(1)} times as fast`);
  }
}

const servers: RedisServer[] = await startRedisServers(NODES);
const clients = servers.map(({ port }) => new Redis(port, '127.0.0.1'));
try {
  await pin(clients);
  const figures = await measure(clients);
  if (options.json) console.log(JSON.stringify(figures, null, 2));
  else report(figures);
} finally {
  for (const client of clients) client.disconnect();
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
}
