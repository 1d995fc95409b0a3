import { runJob } from './job.ts';
import { serveJobs } from './worker-serving.ts';

/** The program of a worker thread. */
serveJobs(runJob);
