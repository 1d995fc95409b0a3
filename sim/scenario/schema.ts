import { z } from 'zod';
import { PROPERTIES } from '../checkers/verdict.ts';
import { duration, durationRange, positiveDuration, signedDuration } from './duration.ts';
import { clientTarget, fault } from './fault-schema.ts';
import { momentFields, occurrence } from './moment.ts';

const NAME = /^[A-Za-z][A-Za-z0-9-]{0,30}$/;
const clientName = z.string().regex(NAME, 'must be a letter, then letters, digits and dashes, 31 at most');

/** How long to wait between attempts, and ever longer: by the defaults of the library's exponentialRetry where something is left out. */
const backoff = z.strictObject({
  base: positiveDuration.optional().describe('the longest delay before the first retry'),
  factor: z.number().min(1).optional().describe('by what it is multiplied for each further one'),
  cap: positiveDuration.optional().describe('what it never exceeds'),
});

/** How the clients of a scenario configure the library. Left out, the library's own defaults hold. */
const settings = z.strictObject({
  nodes: z.int().min(1).max(99).default(5).describe('independent Redis masters, n1 to nN (5)'),
  ttl: positiveDuration.default(10_000).describe('time to live of a lock (10s)'),
  retryCount: z.int().min(-1).optional(),
  retryDelay: duration.optional(),
  retryJitter: duration.optional(),
  backoff: backoff
    .optional()
    .describe('delays that grow from retry to retry, in place of retryDelay and retryJitter (fixed ones)'),
  deadline: positiveDuration.optional().describe('beyond which an acquire awaits nothing (none)'),
  extensionLimit: z.int().min(-1).optional().describe('how often one lock may be extended (-1, without limit)'),
  clockDriftFactor: z.number().min(0).lt(1).optional(),
  nodeTimeout: positiveDuration.optional(),
  restartGuard: positiveDuration
    .optional()
    .describe('nodes that may have forgotten locks do not vote until leases of this length are over (no guard)'),
  fencing: z.boolean().default(false).describe('draw fencing tokens, and check them at the resource (false)'),
});

const client = z.strictObject({
  clock: z
    .enum(['monotonic', 'wall'])
    .default('monotonic')
    .describe('which clock the library reads for elapsed time: wall is the mistake of many libraries'),
  wallOffset: signedDuration.default(0).describe('how far its wall clock is off (0ms)'),
  rate: z.number().positive().default(1).describe('seconds of its clocks in a true second (1)'),
});

/** So many clients (c1, c2 …), or clients by name. */
const clients = z
  .union(
    [
      z.int().min(1).max(1000),
      z.record(
        clientName,
        client.nullable().transform((value) => value ?? client.parse({})),
      ),
    ],
    {
      error: 'must be a number of clients, or clients by name, such as { A: , B: { wallOffset: 5s } }',
    },
  )
  .transform((value) =>
    typeof value === 'number'
      ? Object.fromEntries(Array.from({ length: value }, (_, index) => [`c${index + 1}`, client.parse({})]))
      : value,
  )
  .refine((value) => Object.keys(value).length > 0, 'must name at least one client');

const nodeSettings = z.strictObject({
  persistence: z
    .enum(['none', 'rdb', 'aof-everysec', 'aof-always', 'aof-no'])
    .default('none')
    .describe('what a node keeps on disk (none); rdb means the snapshots of Redis’ default settings'),
  maxmemoryPolicy: z
    .enum(['noeviction', 'allkeys-lru', 'allkeys-random', 'volatile-lru', 'volatile-random', 'volatile-ttl'])
    .default('noeviction'),
  replica: z.boolean().default(false).describe('each node has a replica that can be promoted (false)'),
});

const network = z.strictObject({
  latency: durationRange.default({ minMs: 0.2, maxMs: 1 }).describe('of one message one way (200us..1ms)'),
});

/** What is locked, and how. */
const lockFields = {
  resource: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)], {
      error: 'must be a name, or a list of names that are locked together',
    })
    .describe('a name, or a list of names that are locked together; {client} stands for the name of the client'),
  ttl: positiveDuration.optional(),
  retryCount: z.int().min(-1).optional(),
  retryDelay: duration.optional(),
  retryJitter: duration.optional(),
  deadline: positiveDuration.optional().describe('beyond which the acquire awaits nothing'),
};

const step = z.union(
  [
    z.strictObject({
      acquire: z
        .strictObject({
          ...lockFields,
          giveUpAfter: positiveDuration.optional().describe('abort the acquire by its signal after this long'),
        })
        .describe('take the lock; if that fails, the steps up to the next round are skipped'),
    }),
    z.strictObject({
      using: z
        .strictObject({
          ...lockFields,
          giveUpAfter: positiveDuration
            .optional()
            .describe('fire the caller’s signal after this long, which aborts the acquire, or ends the work'),
          extensionLimit: z.int().min(-1).optional().describe('how often the lock is extended by itself'),
          work: durationRange.describe('for this long, or until the signal of the routine fires'),
        })
        .describe('take the lock, work under it while the library extends it, and give it back'),
    }),
    z.strictObject({ work: durationRange.describe('stay inside the critical section for this long') }),
    z.strictObject({
      extend: positiveDuration.describe('prolong the lock by this time to live'),
      beside: z.boolean().optional().describe('do not wait for it: the next steps run beside it (false)'),
    }),
    z.strictObject({ rest: durationRange.describe('do nothing for this long') }),
    z.strictObject({ close: duration.describe('close the Redlock of this script so long from now, for good') }),
    z
      .enum(['write', 'release'])
      .describe('write: write to the protected resource and await its answer; release: give the lock back'),
  ],
  {
    error: 'must be one of acquire, using, work, extend, rest, close (each with its value), write or release',
  },
);
/** One thing that a client does. */
export type Step = z.output<typeof step>;
/** What a step locks, and how. */
export type LockStep = Extract<Step, { acquire: unknown }>['acquire'];
/** The same of a step that works by `using`, and what the work is. */
export type UsingStep = Extract<Step, { using: unknown }>['using'];

const script = z.strictObject({
  clients: clientTarget.default('all').describe('who runs these steps (all)'),
  ...momentFields,
  repeat: z.int().min(1).default(1).describe('how often the steps run (1)'),
  steps: z.array(step).min(1),
});
export type Script = z.output<typeof script>;

const url = z.string().regex(/^https?:\/\//, 'must be a web address');

/** A scenario file: data only. */
export const scenarioSchema = z.strictObject({
  title: z.string().min(1).describe('what happens, in one line'),
  source: z
    .union([url, z.array(url)], { error: 'must be a web address or a list of them' })
    .optional()
    .describe('where the scenario comes from'),
  settings: settings.prefault({}),
  clients: clients.describe('so many clients (c1, c2 …), or clients by name, each with its clock'),
  nodes: nodeSettings.prefault({}).describe('how the Redis nodes are set up'),
  network: network.prefault({}),
  workload: z.array(script).min(1).describe('what the clients do'),
  faults: z.array(fault).default([]).describe('what goes wrong, and when'),
  limit: positiveDuration.default(60_000).describe('the workload is cut off after this long (1m)'),
  happened: z.array(occurrence).default([]).describe('what must have happened, or the verdict is unknown'),
  expect: z
    .partialRecord(z.enum(PROPERTIES), z.enum(['ok', 'violated']))
    .refine((value) => Object.keys(value).length > 0, 'must name at least one property')
    .describe('the verdict of each property; a property that is not named must not be violated'),
  lesson: z.string().min(1).describe('what one learns from it, in prose'),
});

/** A scenario as it runs: checked, defaults filled in, durations in milliseconds; `name` is the file's name. */
export type Scenario = z.output<typeof scenarioSchema> & { readonly name: string };
