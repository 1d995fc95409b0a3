import { z } from 'zod';
import { duration, durationRange, positiveDuration, signedDuration } from './duration.ts';
import { momentFields } from './moment.ts';

/** Which clients: names, `all`, or `holder` (the client with the newest lease when the fault starts). */
export const clientTarget = z
  .union([z.string(), z.array(z.string()).min(1)], { error: 'must be a client, a list of clients, all or holder' })
  .describe('a client, a list of clients, all, or holder');

/**
 * Which nodes: names, `all`, `minority` (the last N − Q), `majority` (the first Q), `held` (those that hold the key of the
 * newest lease), `resource` (the protected resource), or so many of the nodes that hold a client's key.
 */
export const nodeTarget = z
  .union(
    [
      z.string(),
      z.array(z.string()).min(1),
      z.strictObject({
        heldBy: z.string().describe('a client'),
        count: z.int().min(1).optional().describe('only so many of them (all)'),
      }),
    ],
    { error: 'must be a node, a list of nodes, all, minority, majority, held, resource, or { heldBy: client }' },
  )
  .describe('a node, a list of nodes, all, minority, majority, held, resource, or { heldBy: client, count: n }');

const timed = {
  ...momentFields,
  for: positiveDuration.optional().describe('healed after this long (at the end of the workload)'),
};
const link = {
  clients: clientTarget.default('all').describe('at the client end of the link (all)'),
  nodes: nodeTarget.default('all').describe('at the other end of the link: nodes, or resource (all nodes)'),
};
const direction = z.enum(['both', 'request', 'reply']).default('both').describe('only requests, only replies, or both');

/** Messages between these clients and these nodes are dropped. One way only, it is a lost request or a lost reply. */
const partition = z.strictObject({ fault: z.literal('partition'), ...link, direction, ...timed });
/** Every client is cut off from some nodes so that two groups meet in one bridge node, or see overlapping majorities in a ring. */
const partitionShape = z.strictObject({
  fault: z.literal('partition-shape'),
  shape: z
    .enum(['bridge', 'ring', 'minority', 'majority'])
    .describe(
      'bridge: half of the clients see the first nodes, half the last, both the middle one; ring: each client sees a majority of its own; minority, majority: all clients see only so many nodes',
    ),
  ...timed,
});
/** The first `count` messages (all, while it lasts) of one direction are dropped; a lost reply means an executed command. */
const loss = z.strictObject({
  fault: z.literal('loss'),
  ...link,
  direction: z.enum(['request', 'reply']),
  command: z
    .enum(['acquire', 'commit', 'extend', 'release', 'inspect'])
    .optional()
    .describe('only commands of this kind'),
  count: z.int().min(1).optional().describe('only so many messages on each link'),
  probability: z.number().min(0).max(1).default(1).describe('of each message being lost (1)'),
  ...timed,
});
const latency = z.strictObject({
  fault: z.literal('latency'),
  ...link,
  direction,
  delay: durationRange.describe('added to each message; a range is jitter'),
  ...timed,
});
const bandwidth = z.strictObject({
  fault: z.literal('bandwidth'),
  ...link,
  direction,
  bytesPerSecond: z.number().positive(),
  ...timed,
});
/** Open connections are reset: what is in flight is lost, and both ends learn it. */
const reset = z.strictObject({ fault: z.literal('reset'), ...link, ...momentFields });
/** Connections close only after this delay: the other end learns late that they broke. */
const slowClose = z.strictObject({ fault: z.literal('slow-close'), ...link, delay: duration, ...timed });
/** The connection closes once this many bytes have passed. */
const limitData = z.strictObject({
  fault: z.literal('limit-data'),
  ...link,
  direction,
  bytes: z.int().min(0),
  ...timed,
});
/** Messages travel in slices of so many bytes, with a delay between slices. */
const slicer = z.strictObject({
  fault: z.literal('slicer'),
  ...link,
  direction,
  bytes: z.int().min(1),
  delay: duration,
  ...timed,
});

const clockJump = z.strictObject({
  fault: z.literal('clock-jump'),
  nodes: nodeTarget,
  by: signedDuration,
  ...momentFields,
});
const clockDrift = z.strictObject({
  fault: z.literal('clock-drift'),
  nodes: nodeTarget,
  rate: z.number().positive().describe('seconds of the clock in a true second: 1.01 runs 1 % fast'),
  ...timed,
});
/** The clock steps forth by `by` and back again, every `every`. */
const clockStrobe = z.strictObject({
  fault: z.literal('clock-strobe'),
  nodes: nodeTarget,
  by: signedDuration,
  every: positiveDuration,
  ...timed,
});
const clientClockJump = z.strictObject({
  fault: z.literal('client-clock-jump'),
  clients: clientTarget,
  by: signedDuration,
  ...momentFields,
});
const clientClockDrift = z.strictObject({
  fault: z.literal('client-clock-drift'),
  clients: clientTarget,
  rate: z.number().positive().describe('seconds of both of its clocks in a true second'),
  ...timed,
});
/** The client's process stops: no code runs, replies wait in its buffers, its clocks go on. */
const clientPause = z.strictObject({ fault: z.literal('client-pause'), clients: clientTarget, ...timed });
const serverPause = z.strictObject({ fault: z.literal('server-pause'), nodes: nodeTarget, ...timed });
/** The server dies. What it finds when it starts again follows from `persistence` of the nodes and from how it died. */
const crash = z.strictObject({
  fault: z.literal('crash'),
  nodes: nodeTarget,
  how: z
    .enum(['kill', 'terminate', 'power-loss'])
    .default('kill')
    .describe('SIGKILL, SIGTERM, or the loss of all that was not yet on disk'),
  ...timed,
});
/** Memory pressure: the node's maxmemory policy evicts `keys` lock keys (all), or refuses writes under noeviction. */
const eviction = z.strictObject({
  fault: z.literal('eviction'),
  nodes: nodeTarget,
  keys: z.int().min(1).optional().describe('how many lock keys go (all)'),
  ...timed,
});
const flush = z.strictObject({ fault: z.literal('flush'), nodes: nodeTarget, ...momentFields });
/** The node's primary dies and its replica, which is behind by `lag`, takes its place. */
const promotion = z.strictObject({
  fault: z.literal('promotion'),
  nodes: nodeTarget,
  lag: duration
    .default(Number.POSITIVE_INFINITY)
    .describe('writes of this last stretch never reached the replica (all of them)'),
  ...momentFields,
});

export const fault = z.discriminatedUnion('fault', [
  partition,
  partitionShape,
  loss,
  latency,
  bandwidth,
  reset,
  slowClose,
  limitData,
  slicer,
  clockJump,
  clockDrift,
  clockStrobe,
  clientClockJump,
  clientClockDrift,
  clientPause,
  serverPause,
  crash,
  eviction,
  flush,
  promotion,
]);
/** One fault of a schedule: a value; applying it returns the handle that heals it. */
export type Fault = z.output<typeof fault>;
