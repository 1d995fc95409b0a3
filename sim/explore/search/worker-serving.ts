import { parentPort, workerData } from 'node:worker_threads';
import type { Job, JobResult } from './job.ts';
import type { WorkerData, WorkerMessage } from './worker-messages.ts';

/** Makes this thread do one job after the other; `run` calls `onBegin` before each run of a job. */
export function serveJobs(run: (job: Job, onBegin: () => void) => Promise<JobResult>): void {
  const port = parentPort;
  if (port === null) throw new Error('this is the program of a worker thread; start it as one');
  const { begun } = workerData as WorkerData;
  const tell = (message: WorkerMessage): void => port.postMessage(message);
  port.on('message', (job: Job) => {
    run(job, () => Atomics.add(begun, 0, 1)).then(
      (result) => tell({ type: 'result', result }),
      (error: unknown) => tell({ type: 'failed', error: error instanceof Error ? error : new Error(String(error)) }),
    );
  });
  tell({ type: 'ready' });
}
