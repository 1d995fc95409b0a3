import type { HistoryEvent, HistoryEventType } from './event.ts';

/** What a field of an event holds, in words for an error. */
type FieldKind =
  | 'a number'
  | 'a number or null'
  | 'a text'
  | 'a text or null'
  | 'a text, or left out'
  | 'texts'
  | 'texts, or left out'
  | 'true or false'
  | 'false, or left out'
  | 'clocks by client';

type KindOf<Value> = [Value] extends [boolean]
  ? 'true or false'
  : [Value] extends [false | undefined]
    ? 'false, or left out'
    : [Value] extends [number]
      ? 'a number'
      : [Value] extends [number | null]
        ? 'a number or null'
        : [Value] extends [string]
          ? 'a text'
          : [Value] extends [string | null]
            ? 'a text or null'
            : [Value] extends [string | undefined]
              ? 'a text, or left out'
              : [Value] extends [readonly string[]]
                ? 'texts'
                : [Value] extends [readonly string[] | undefined]
                  ? 'texts, or left out'
                  : 'clocks by client';

type FieldsOf<Event> = {
  readonly [Field in Exclude<keyof Event, 'type' | 'timeUs'>]-?: KindOf<Event[Field]>;
};

const NUMBER = 'a number';
const TEXT = 'a text';
const FLAG = 'true or false';

const acquire = { client: TEXT, operation: NUMBER, resource: TEXT, phase: TEXT } as const;
const call = { client: TEXT, operation: NUMBER, lease: NUMBER } as const;
const grant = { validityMs: NUMBER, validUntilUs: NUMBER } as const;
const section = { client: TEXT, lease: NUMBER, resource: TEXT } as const;
const write = { ...section, write: NUMBER, token: 'a number or null' } as const;
const message = { command: NUMBER, client: TEXT, node: TEXT } as const;
const command = { ...message, kind: TEXT, key: TEXT, value: TEXT } as const;
const clockChange = { byMs: NUMBER, rate: NUMBER } as const;
const node = { node: TEXT } as const;
const client = { client: TEXT } as const;

/** The fields of every type of event beside `type` and `timeUs`; the compiler holds it to the types. */
const FIELDS: { readonly [Type in HistoryEventType]: FieldsOf<Extract<HistoryEvent, { type: Type }>> } = {
  'run-started': {
    format: NUMBER,
    scenario: TEXT,
    title: TEXT,
    backend: TEXT,
    seed: NUMBER,
    clients: 'texts',
    nodes: 'texts',
    quorum: NUMBER,
    longestTtlMs: NUMBER,
    clockDriftFactor: NUMBER,
    fencing: FLAG,
    clocks: 'clocks by client',
  },
  'acquire-invoked': { ...acquire, resources: 'texts, or left out', ttlMs: NUMBER },
  'attempt-started': { client: TEXT, operation: NUMBER, value: TEXT },
  'acquire-granted': { ...acquire, ...grant, value: TEXT, token: 'a number or null', attempts: NUMBER },
  'acquire-failed': { ...acquire, code: TEXT },
  'extend-invoked': { ...call, ttlMs: NUMBER },
  'extend-granted': { ...call, ...grant },
  'extend-failed': { ...call, code: TEXT },
  'release-invoked': call,
  'release-done': call,
  'release-failed': { ...call, code: TEXT },
  'section-entered': section,
  'section-left': section,
  'write-sent': write,
  'write-accepted': write,
  'write-refused': { ...write, largestToken: NUMBER },
  'command-sent': command,
  'command-executed': { ...command, reply: TEXT, before: 'a text or null', changed: FLAG },
  'reply-received': { ...message, reply: TEXT, error: 'a text, or left out', sent: 'false, or left out' },
  'message-lost': { ...message, direction: TEXT, fault: 'a number or null' },
  'message-delayed': { ...message, direction: TEXT, byUs: NUMBER, fault: NUMBER },
  'key-lost': { node: TEXT, key: TEXT, value: TEXT, cause: TEXT },
  'fault-started': { fault: NUMBER, kind: TEXT, targets: 'texts', description: TEXT },
  'fault-missed': { fault: NUMBER, kind: TEXT, nodes: 'texts' },
  'fault-ended': { fault: NUMBER },
  'node-crashed': node,
  'node-restarted': { node: TEXT, keys: NUMBER },
  'node-paused': node,
  'node-resumed': node,
  'node-clock-changed': { node: TEXT, ...clockChange, offsetMs: 'a number or null' },
  'client-paused': client,
  'client-resumed': client,
  'client-clock-changed': { client: TEXT, clock: TEXT, ...clockChange },
  'workload-ended': {},
  healed: {},
  'run-ended': { reason: TEXT },
};

/** What is wrong with a parsed value as an event, as the end of a sentence; null if it is one. Fields beyond those known are let pass. */
export function problemOfEvent(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return 'is not an event: it must be an object with type and timeUs';
  const event = value as Readonly<Record<string, unknown>>;
  const { type, timeUs } = event;
  if (typeof type !== 'string') return 'is not an event: it has no type';
  if (!Object.hasOwn(FIELDS, type)) return `has the type ${JSON.stringify(type)}, which this version does not know`;
  if (typeof timeUs !== 'number' || timeUs < 0) return `(${type}) needs a timeUs of zero or more`;
  for (const [field, kind] of Object.entries(FIELDS[type as HistoryEventType]) as [string, FieldKind][]) {
    if (!isOfKind(event[field], kind)) return `(${type}) needs ${field} to be ${kind}`;
  }
  if (type === 'run-started' && event['format'] !== 1)
    return '(run-started) has a format other than 1: record the run anew';
  return null;
}

function isOfKind(value: unknown, kind: FieldKind): boolean {
  switch (kind) {
    case 'a number':
      return typeof value === 'number';
    case 'a number or null':
      return typeof value === 'number' || value === null;
    case 'a text':
      return typeof value === 'string';
    case 'a text or null':
      return typeof value === 'string' || value === null;
    case 'a text, or left out':
      return value === undefined || typeof value === 'string';
    case 'texts':
      return areTexts(value);
    case 'texts, or left out':
      return value === undefined || areTexts(value);
    case 'true or false':
      return typeof value === 'boolean';
    case 'false, or left out':
      return value === undefined || value === false;
    case 'clocks by client':
      return typeof value === 'object' && value !== null && Object.values(value).every(isClock);
  }
}

function areTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

function isClock(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { clock, rate } = value as Readonly<Record<string, unknown>>;
  return (clock === 'monotonic' || clock === 'wall') && typeof rate === 'number' && rate > 0;
}
