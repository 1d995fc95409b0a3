import { parentPort, workerData } from 'node:worker_threads';
import { WHOLE_ENVELOPE } from '../explore/envelope/envelope.ts';
import { type Hit, keysBetween, search } from '../explore/search/search.ts';
import { shrink } from '../explore/shrink/shrink.ts';
import type { SmallestRun, WorkerMessage, WorkerTask } from './worker-messages.ts';

/** Runs between two signs of life. */
const STRETCH_RUNS = 20;

// Most acquires that are explored fail, and nobody reads the stacks of their errors, which take long to make.
Error.stackTraceLimit = 0;

void explore(workerData as WorkerTask);

/** Tries run after run inside the envelope, where any violation is a defect, until something breaks; and makes that small. */
async function explore({ seed, from, to, makesSmall }: WorkerTask): Promise<void> {
  tell({ kind: 'started' });
  for (let next = from; next < to; next += STRETCH_RUNS) {
    const keys = keysBetween(seed, next, Math.min(to, next + STRETCH_RUNS));
    const { hit, runs } = await search({ keys, envelope: WHOLE_ENVELOPE, properties: [] });
    const tried = next - from + runs;
    if (hit !== null) {
      tell({ kind: 'hit', runs: tried, index: hit.key.index, finding: hit.finding });
      tell({ kind: 'smallest', smallest: makesSmall ? await smallestOf(hit) : null });
      return;
    }
    tell({ kind: 'tried', runs: tried });
  }
  tell({ kind: 'done' });
}

async function smallestOf(hit: Hit): Promise<SmallestRun> {
  const { trial, finding, executions } = await shrink(hit, WHOLE_ENVELOPE);
  return { trial, finding, executions };
}

function tell(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}
