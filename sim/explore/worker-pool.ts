import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { bundleProgram } from '../bundle-program.ts';
import { makeTemporaryFolder } from '../testbed/temporary-folder.ts';
import type { Job, JobResult } from './job.ts';
import type { WorkerMessage } from './worker-messages.ts';

/** Threads that run jobs. */
export interface WorkerPool {
  readonly size: number;
  /** Runs a job on the thread of this number, which must be free. */
  run(thread: number, job: Job): Promise<JobResult>;
  close(): Promise<void>;
}

/** Starts so many threads. The caller closes the pool. Rejects with a TestbedUnavailableError if their program cannot be written. */
export async function startWorkerPool(size: number): Promise<WorkerPool> {
  const folder = makeTemporaryFolder('distrilock-explore-');
  const workers: Worker[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(workers.map((worker) => worker.terminate()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const program = await buildWorkerProgram(folder);
    for (let started = 0; started < size; started += 1) {
      const worker = new Worker(program);
      workers.push(worker);
      // One after the other: each sets a flag of V8 while it loads, and flags are those of the process.
      await nextMessage(worker);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    size,
    close,
    run: async (thread, job) => {
      const worker = workers[thread] as Worker;
      const answer = nextMessage(worker);
      worker.postMessage(job);
      const message = await answer;
      if (message.type === 'failed') throw message.error;
      if (message.type === 'ready') throw new Error('a thread has started twice');
      return message.result;
    },
  };
}

async function buildWorkerProgram(folder: string): Promise<string> {
  const outfile = join(folder, 'worker.mjs');
  await bundleProgram(new URL('worker-main.ts', import.meta.url), outfile);
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
