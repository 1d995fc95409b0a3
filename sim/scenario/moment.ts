import { z } from 'zod';
import { duration } from './duration.ts';

/** The events of a history that a scenario can wait for or demand: all but the frame of the run. */
const OBSERVABLE_EVENTS = [
  'acquire-invoked',
  'attempt-started',
  'acquire-granted',
  'acquire-failed',
  'extend-invoked',
  'extend-granted',
  'extend-failed',
  'release-invoked',
  'release-done',
  'release-failed',
  'section-entered',
  'section-left',
  'write-sent',
  'write-accepted',
  'write-refused',
  'command-sent',
  'command-executed',
  'reply-received',
  'message-lost',
  'message-delayed',
  'key-lost',
  'fault-started',
  'fault-missed',
  'fault-ended',
  'node-crashed',
  'node-restarted',
  'node-paused',
  'node-resumed',
  'node-clock-changed',
  'client-paused',
  'client-resumed',
  'client-clock-changed',
] as const;

const eventFields = {
  event: z.enum(OBSERVABLE_EVENTS).describe('what happens, by its name in the history'),
  client: z.string().optional().describe('only if it concerns this client'),
  node: z.string().optional().describe('only if it concerns this node (resource for the protected resource)'),
  kind: z.string().optional().describe('only commands, or faults, of this kind: acquire, release, partition …'),
  reply: z.string().optional().describe('only if the node replies so: granted, held, released, absent …'),
  code: z.string().optional().describe('only failures with this error code: contended, unreachable, expired …'),
  cause: z.string().optional().describe('only keys lost so: expired, evicted, restart, flush, promotion'),
  direction: z.enum(['request', 'reply']).optional().describe('only messages of this direction'),
  phase: z.enum(['workload', 'probe']).optional().describe('only operations of this phase of the run'),
};

/** A pattern of events that a scenario can wait for or demand: the event's name, and the fields that must be as given. */
export const observablePattern = z.strictObject(eventFields);
export type ObservablePattern = z.output<typeof observablePattern>;

/** What must have happened for the verdict to count. */
export const occurrence = z.strictObject({
  ...eventFields,
  atLeast: z.int().min(0).optional().describe('how often at the least (1 unless atMost is given)'),
  atMost: z.int().min(0).optional().describe('how often at the most (0: never)'),
  before: observablePattern
    .optional()
    .describe('only what happens before the first such event counts; nothing does if there is none'),
});
export type Occurrence = z.output<typeof occurrence>;

/** When something starts: so long after the run began, or after an event of the run. */
export const momentFields = {
  at: duration.optional().describe('this long after the run begins (0 if neither at nor after is given)'),
  after: z
    .strictObject({
      ...eventFields,
      nth: z.int().min(1).optional().describe('the how manieth such event (1)'),
      delay: duration.optional().describe('and then this much later (0ms)'),
    })
    .optional()
    .describe('when this event has happened in the run'),
};
