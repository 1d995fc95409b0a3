import { parentPort } from 'node:worker_threads';
import { type Job, runJob } from './job.ts';
import type { WorkerMessage } from './worker-messages.ts';

/** The program of a worker thread: does one job after the other. */
function main(): void {
  const port = parentPort;
  if (port === null) throw new Error('this is the program of a worker thread; start it as one');
  const tell = (message: WorkerMessage): void => port.postMessage(message);
  port.on('message', (job: Job) => {
    runJob(job).then(
      (result) => tell({ type: 'result', result }),
      (error: unknown) => tell({ type: 'failed', error: error instanceof Error ? error : new Error(String(error)) }),
    );
  });
  tell({ type: 'ready' });
}

main();
