import type { Redis } from 'ioredis';
import { RandomStreams } from '../../sim/testbed/random-streams.ts';
import type { Condition } from './columns.ts';
import type { Locks } from './contender.ts';
import type { MeasurementRequest, SpeedOutcome, SpeedRound } from './measurement.ts';
import { shuffled } from './shuffled.ts';

/** The first round of each contender warms up, for so many times the length of the others. */
const WARM_UP_ROUNDS = 2;
/** Cycles that are under way at the end of a round have so long to finish. */
const GRACE_MS = 1000;

/** A contender with connections of its own: what one leaves on its way is no burden to others. */
export interface Entrant {
  readonly id: string;
  /** Of the first of its nodes. */
  readonly condition: Condition;
  readonly clients: readonly Redis[];
  readonly locks: Locks;
}

const NO_CYCLES: SpeedRound = { cyclesPerSecond: 0, cpuUsPerCycle: Number.NaN, serverCpuUsPerCycle: Number.NaN };

/** What one entrant has done in one column. */
interface Score {
  readonly entrant: Entrant;
  readonly rounds: SpeedRound[];
  /** Of the round that runs. */
  finished: number;
  failures: number;
  firstFailure: string | null;
}

/** Measures all entrants in turns, in each round in another random order. Those of one contender make up one outcome. */
export async function measureSpeed(
  entrants: readonly Entrant[],
  { column, rounds, roundMs, seed }: MeasurementRequest,
): Promise<SpeedOutcome[]> {
  const random = new RandomStreams(seed).stream(`order/${column.id}`);
  const scores = entrants.map((entrant): Score => {
    return { entrant, rounds: [], finished: 0, failures: 0, firstFailure: null };
  });
  const able: Score[] = [];
  for (const score of shuffled(scores, random)) {
    if ((await runRound(score, column.concurrency, roundMs * WARM_UP_ROUNDS)) !== null) able.push(score);
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const score of shuffled(able, random)) {
      score.rounds.push((await runRound(score, column.concurrency, roundMs)) ?? NO_CYCLES);
    }
  }
  const inColumn = scores.filter(({ entrant }) => entrant.condition === column.condition);
  return inColumn.map(({ entrant, rounds: measured, failures, firstFailure }) => {
    const onHealthy = scores.find((score) => score.entrant.id === entrant.id && score.entrant !== entrant) ?? null;
    return {
      contender: entrant.id,
      rounds: measured,
      healthyRounds: onHealthy?.rounds ?? null,
      failures: failures + (onHealthy?.failures ?? 0),
      firstFailure: firstFailure ?? onHealthy?.firstFailure ?? null,
    };
  });
}

/** Null when no cycle was finished in time. */
async function runRound(score: Score, concurrency: number, roundMs: number): Promise<SpeedRound | null> {
  const { entrant } = score;
  const serversBefore = await answered(entrant);
  // What others left behind is not collected at this one's expense.
  globalThis.gc?.({ type: 'minor' });
  score.finished = 0;
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  const endMs = startMs + roundMs;
  const workers: Promise<void>[] = [];
  for (let index = 0; index < concurrency; index += 1) {
    workers.push(cycleUntil(endMs, score, `${entrant.id}-${entrant.condition}-${index}`));
  }
  const hasEnded = await endsWithin(roundMs + GRACE_MS, Promise.all(workers));
  const { finished } = score;
  const seconds = (performance.now() - startMs) / 1000;
  // Late answers, which a decision at the quorum does not wait for, are part of the cost.
  const serversAfter = hasEnded ? await answered(entrant) : Number.NaN;
  const { user, system } = process.cpuUsage(cpuBefore);
  if (finished === 0) return null;
  return {
    cyclesPerSecond: finished / seconds,
    cpuUsPerCycle: (user + system) / finished,
    serverCpuUsPerCycle: (serversAfter - serversBefore) / finished,
  };
}

async function cycleUntil(endMs: number, score: Score, resource: string): Promise<void> {
  const { locks } = score.entrant;
  while (performance.now() < endMs) {
    try {
      await locks.release(await locks.acquire(resource));
      score.finished += 1;
    } catch (error) {
      score.failures += 1;
      score.firstFailure ??= String(error);
      // What fails at once must not keep the event loop to itself.
      await new Promise(setImmediate);
    }
  }
}

async function endsWithin(limitMs: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  const hasEnded = await Promise.race([work.then(() => true), tooLate]);
  clearTimeout(timer);
  return hasEnded;
}

/**
 * Resolves once all nodes have answered what they were asked, to the processor time that they have used, in microseconds. The one that is hung is
 * not waited for.
 */
async function answered({ clients, condition }: Entrant): Promise<number> {
  const others = condition === 'hung' ? clients.slice(1) : clients;
  const usedUs = await Promise.all(
    others.map(async (client) => {
      const seconds = (await client.info('cpu')).matchAll(/^used_cpu_(?:user|sys):([\d.]+)/gm);
      return [...seconds].reduce((sum, [, text]) => sum + Number(text) * 1e6, 0);
    }),
  );
  return usedUs.reduce((sum, each) => sum + each, 0);
}
