import { fencingCounterKey } from './fencing-counter-key.ts';
import {
  ABSENT,
  type AcquireCommand,
  ADMITTED,
  COMMITTED,
  EXTENDED,
  GRANTED_WITHOUT_TOKEN,
  HELD,
  type LockCommand,
  type LockReply,
  QUARANTINED,
  REFUSED,
  RELEASED,
} from './lock-node.ts';
import {
  ACQUIRE,
  ACQUIRE_GUARDED,
  ACQUIRE_GUARDED_WITH_TOKEN,
  ACQUIRE_WITH_TOKEN,
  ADMIT,
  AGAIN,
  COMMIT,
  EXTEND,
  INSPECT,
  RELEASE,
  type Script,
} from './scripts.ts';

/** Reads what the server answered; null for an answer that the command cannot have. */
type Interpret = (answer: unknown) => LockReply | null;

/** A lock command in Redis' terms. */
export interface ScriptRequest {
  readonly script: Script;
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
  readonly interpret: Interpret;
  /** The words of the call by the script's name, once a node has made them for all. */
  wordsByName?: (string | number)[];
}

/** The words of a call that runs the script alone, from its text or its name on. */
export function wordsOf({ keys, args }: ScriptRequest, text: string): (string | number)[] {
  return [text, keys.length, ...keys, ...args];
}

/** Whether the command names the run of the server that it is for. */
export function namesRun(command: LockCommand): boolean {
  return command.kind === 'admit' || (command.kind === 'acquire' && command.guard !== null);
}

/** The last request that was made: one command goes to all nodes, mostly one after the other. */
let latest: {
  readonly command: LockCommand;
  readonly clientPrefix: string | undefined;
  readonly runId: string;
  readonly request: ScriptRequest;
} | null = null;

/**
 * @param command must not change any more
 * @param clientPrefix what the client puts before every key
 * @param runId the run_id of the server, for commands that name it
 */
export function scriptRequestOf(command: LockCommand, clientPrefix: string | undefined, runId: string): ScriptRequest {
  if (latest?.command !== command || latest.clientPrefix !== clientPrefix || latest.runId !== runId) {
    latest = { command, clientPrefix, runId, request: makeRequest(command, clientPrefix, runId) };
  }
  return latest.request;
}

function makeRequest(command: LockCommand, clientPrefix: string | undefined, runId: string): ScriptRequest {
  const { key } = command;
  switch (command.kind) {
    case 'acquire':
      return acquireRequest(command, clientPrefix, runId);
    case 'commit': {
      const keys = [key, fencingCounterKey(key, clientPrefix)];
      return { script: COMMIT, keys, args: [command.value, command.token], interpret: committedOrRefused };
    }
    case 'extend':
      return { script: EXTEND, keys: [key], args: [command.value, command.ttlMs], interpret: extendedOrAbsent };
    case 'release':
      return { script: RELEASE, keys: [key], args: [command.value], interpret: releasedOrAbsent };
    case 'inspect':
      return { script: INSPECT, keys: [key], args: [], interpret: inspected };
    case 'admit':
      return { script: ADMIT, keys: [key, command.quarantineKey], args: [runId], interpret: admitted };
  }
}

function acquireRequest(command: AcquireCommand, clientPrefix: string | undefined, runId: string): ScriptRequest {
  const { key, value, ttlMs, tokenHint, guard } = command;
  const keys = tokenHint === null ? [key] : [key, fencingCounterKey(key, clientPrefix)];
  const args = tokenHint === null ? [value, ttlMs] : [value, ttlMs, tokenHint];
  const interpret = tokenHint === null ? grantedHeldOrQuarantined : tokenHeldOrQuarantined;
  if (guard === null) return { script: tokenHint === null ? ACQUIRE : ACQUIRE_WITH_TOKEN, keys, args, interpret };
  return {
    script: tokenHint === null ? ACQUIRE_GUARDED : ACQUIRE_GUARDED_WITH_TOKEN,
    keys: [...keys, guard.markerKey, guard.quarantineKey],
    args: [...args, runId, guard.quarantineMs],
    interpret,
  };
}

/** Asks whose the lock is that a SET has met, and prolongs it if it is our own. */
export function ownershipRequest({ key, value, ttlMs }: AcquireCommand): ScriptRequest {
  return { script: EXTEND, keys: [key], args: [value, ttlMs], interpret: grantedIfExtended };
}

/** Whether a script that acquires says that its own value was there before. */
export function metOwnValue(answer: unknown): answer is string {
  return typeof answer === 'string' && answer.endsWith(AGAIN);
}

function grantedHeldOrQuarantined(answer: unknown): LockReply | null {
  if (answer === null) return HELD;
  if (answer === 'quarantined') return QUARANTINED;
  return Number(answer) === 1 || answer === AGAIN ? GRANTED_WITHOUT_TOKEN : null;
}

function tokenHeldOrQuarantined(answer: unknown): LockReply | null {
  if (answer === null) return HELD;
  if (answer === 'quarantined') return QUARANTINED;
  const token = Number(metOwnValue(answer) ? answer.slice(0, -AGAIN.length) : answer);
  return Number.isSafeInteger(token) ? { kind: 'granted', token } : null;
}

/** Scripts answer 1 or 0, which clients that want numbers as text hand on as text. */
function eitherOf(one: LockReply, zero: LockReply): Interpret {
  return (answer) => (Number(answer) === 1 ? one : Number(answer) === 0 && answer !== null ? zero : null);
}

const committedOrRefused = eitherOf(COMMITTED, REFUSED);
const extendedOrAbsent = eitherOf(EXTENDED, ABSENT);
const releasedOrAbsent = eitherOf(RELEASED, ABSENT);
const grantedIfExtended = eitherOf(GRANTED_WITHOUT_TOKEN, HELD);

function admitted(answer: unknown): LockReply | null {
  return Number(answer) === 1 ? ADMITTED : null;
}

function inspected(answer: unknown): LockReply | null {
  if (!Array.isArray(answer)) return null;
  const [value, remainingMs] = answer as readonly unknown[];
  if (value === null) return { kind: 'inspected', value: null, remainingMs: null };
  if (typeof value !== 'string') return null;
  return { kind: 'inspected', value, remainingMs: Number(remainingMs) >= 0 ? Number(remainingMs) : null };
}
