import { type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import type { Command, Redis } from 'ioredis';
import { RandomStreams } from '../../sim/testbed/random-streams.ts';
import type { CostOutcome, MeasurementRequest } from './measurement.ts';
import { shuffled } from './shuffled.ts';
import type { Entrant } from './speed.ts';

/** So many cycles fit into the young generation at once, which the process was given 128 MiB for. */
const CYCLES_PER_BATCH = 400;
const WARM_UP_CYCLES = 2000;

/**
 * What a cycle allocates: how far the heap grows over a batch of cycles during which nothing is collected. And how many calls a node gets.
 * Cycles come one after the other.
 */
export async function measureCost(
  entrants: readonly Entrant[],
  { column, rounds, seed }: MeasurementRequest,
): Promise<CostOutcome[]> {
  const collectGarbage = globalThis.gc;
  if (collectGarbage === undefined) throw new Error('the heap cannot be measured: run node with --expose-gc');
  const random = new RandomStreams(seed).stream(`order/cost/${column.id}`);
  const heap = new Map<string, number[]>(entrants.map(({ id }) => [id, []]));
  const calls = new Map<string, number>();
  for (const entrant of entrants) {
    await cycle(entrant, WARM_UP_CYCLES);
    const callCount = await countCalls(entrant.clients, () => cycle(entrant, CYCLES_PER_BATCH));
    calls.set(entrant.id, callCount / CYCLES_PER_BATCH / entrant.clients.length);
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const entrant of shuffled(entrants, random)) {
      collectGarbage();
      const collections = watchCollections();
      const before = process.memoryUsage().heapUsed;
      await cycle(entrant, CYCLES_PER_BATCH);
      const grown = process.memoryUsage().heapUsed - before;
      if ((await collections.count()) > 0) {
        throw new Error(
          `${entrant.id}: garbage was collected in the midst of a batch; give the young generation more room`,
        );
      }
      heap.get(entrant.id)?.push(grown / CYCLES_PER_BATCH);
    }
  }
  return entrants.map(({ id }) => ({
    contender: id,
    heapBytesPerCycle: heap.get(id) ?? [],
    callsPerCycleAndNode: calls.get(id) ?? Number.NaN,
  }));
}

async function cycle({ id, clients, locks }: Entrant, count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) await locks.release(await locks.acquire(id));
  await Promise.all(clients.map((client) => client.ping()));
}

/** Calls sent while `run` runs, except for the one PING of each client at its end. */
async function countCalls(clients: readonly Redis[], run: () => Promise<void>): Promise<number> {
  let calls = -clients.length;
  const originals = clients.map((client) => {
    const original = client.sendCommand.bind(client);
    client.sendCommand = (command: Command, ...rest: never[]): unknown => {
      calls += 1;
      return original(command, ...rest);
    };
    return { client, original };
  });
  await run();
  for (const { client, original } of originals) client.sendCommand = original;
  return calls;
}

/** Counts collections from now on. */
function watchCollections(): { count(): Promise<number> } {
  const sinceMs = performance.now();
  let seen = 0;
  const note = (entries: readonly PerformanceEntry[]): void => {
    // One that has just ended is told of later.
    seen += entries.filter(({ startTime }) => startTime >= sinceMs).length;
  };
  const observer = new PerformanceObserver((list) => note(list.getEntries()));
  observer.observe({ entryTypes: ['gc'] });
  return {
    async count() {
      // Entries are handed over when the event loop turns.
      await new Promise(setImmediate);
      note(observer.takeRecords());
      observer.disconnect();
      return seen;
    },
  };
}
