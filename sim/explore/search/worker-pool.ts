import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { bundleProgram } from '../../bundle-program.ts';
import { makeTemporaryFolder } from '../../testbed/temporary-folder.ts';
import type { Job, JobResult } from './job.ts';
import type { RunKey } from './search.ts';
import type { WorkerData, WorkerMessage } from './worker-messages.ts';

/** How often to look whether threads come on, and for how many looks in a row one may not: when its result is awaited, and when there is time. */
const LOOK_MS = 1000;
const LOOKS_AT_THE_END = 3;
const LOOKS = 120;

/** A run that a thread never left, so that the thread had to be ended. */
export interface StuckRun {
  readonly stuck: RunKey;
}

/** A thread that runs jobs, one at a time. */
export interface WorkerThread {
  /**
   * Runs a job. A thread that does not leave a run is ended, and must not be used again: after some seconds once `isOver` says that the job is waited
   * for, or else after some minutes.
   */
  run(job: Job, isOver: () => boolean): Promise<JobResult | StuckRun>;
}

/** Where threads come from. */
export interface WorkerPool {
  /** Starts a thread when its turn has come, for they start one after the other. Null if it is not wanted any more by then. */
  start(isWanted: () => boolean): Promise<WorkerThread | null>;
  close(): Promise<void>;
}

/** The program of the threads. */
export const WORKER_PROGRAM = new URL('worker-main.ts', import.meta.url);

interface Thread {
  readonly worker: Worker;
  readonly begun: WorkerData['begun'];
}

/** A pool without threads yet. The caller closes it. Rejects with a TestbedUnavailableError if their program cannot be written. */
export async function makeWorkerPool(source: URL): Promise<WorkerPool> {
  const folder = makeTemporaryFolder('distrilock-explore-');
  const workers: Worker[] = [];
  let isClosed = false;
  const close = async (): Promise<void> => {
    isClosed = true;
    await Promise.all(workers.map((worker) => worker.terminate()));
    await rm(folder, { recursive: true, force: true });
  };
  const program = await buildWorkerProgram(folder, source).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const startThread = async (): Promise<WorkerThread> => {
    const begun = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const worker = new Worker(program, { workerData: { begun } satisfies WorkerData });
    workers.push(worker);
    await nextMessage(worker);
    return { run: (job, isOver) => runOn({ worker, begun }, job, isOver) };
  };
  // One after the other: each sets a flag of V8 while it loads, and flags are those of the process.
  let lastStart: Promise<unknown> = Promise.resolve();
  const start: WorkerPool['start'] = (isWanted) => {
    const started = lastStart.then(() => (!isClosed && isWanted() ? startThread() : null));
    // Whoever wanted that thread is told what went wrong with it.
    lastStart = started.catch(() => undefined);
    return started;
  };
  return { start, close };
}

async function runOn({ worker, begun }: Thread, job: Job, isOver: () => boolean): Promise<JobResult | StuckRun> {
  Atomics.store(begun, 0, 0);
  const giveUp = new AbortController();
  const answer = nextMessage(worker);
  const stopWatching = watch(begun, isOver, () => {
    giveUp.abort();
    void worker.terminate();
  });
  worker.postMessage(job);
  try {
    const message = await answer;
    if (message.type === 'failed') throw message.error;
    if (message.type === 'ready') throw new Error('a thread has started twice');
    if (!giveUp.signal.aborted) return message.result;
  } catch (error) {
    if (!giveUp.signal.aborted) throw error;
  } finally {
    stopWatching();
  }
  return { stuck: job.keys[Math.max(0, Atomics.load(begun, 0) - 1)] as RunKey };
}

/**
 * Calls `onStuck` once no run has begun for too long. Looks are counted, and not the time, so that a process which was stopped for an hour has not been
 * stuck. Returns what ends it.
 */
function watch(begun: WorkerData['begun'], isOver: () => boolean, onStuck: () => void): () => void {
  let last = 0;
  let looks = 0;
  const timer = setInterval(() => {
    const now = Atomics.load(begun, 0);
    looks = now === last ? looks + 1 : 0;
    last = now;
    if (looks < (isOver() ? LOOKS_AT_THE_END : LOOKS)) return;
    clearInterval(timer);
    onStuck();
  }, LOOK_MS);
  return () => clearInterval(timer);
}

async function buildWorkerProgram(folder: string, source: URL): Promise<string> {
  const outfile = join(folder, 'worker.mjs');
  await bundleProgram(source, outfile);
  return outfile;
}

function nextMessage(worker: Worker): Promise<WorkerMessage> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
    };
    const onMessage = (message: WorkerMessage): void => {
      settle();
      resolve(message);
    };
    const onError = (error: unknown): void => {
      settle();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const onExit = (code: number): void => {
      settle();
      reject(new Error(`a worker thread ended with code ${code}`));
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
  });
}
