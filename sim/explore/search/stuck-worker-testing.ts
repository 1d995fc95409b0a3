import { BroadcastChannel } from 'node:worker_threads';
import { runJob } from './job.ts';
import { serveJobs } from './worker-serving.ts';

/** The program of a worker thread that never leaves the run of this index, as with a library that goes round in circles. Says so on the channel of this name. */
const STUCK_AT = 53;
const CHANNEL = 'distrilock-stuck';

serveJobs((job, onBegin) => {
  let place = 0;
  return runJob(job, () => {
    onBegin();
    const { index } = job.keys[place] as { index: number };
    place += 1;
    if (index !== STUCK_AT) return;
    new BroadcastChannel(CHANNEL).postMessage(index);
    for (;;);
  });
});
