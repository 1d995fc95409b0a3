import type { LockCommand } from '../../../../src/lock-node.ts';
import { GATHERED, SCRIPT_PARTS } from '../../../../src/gathered-script.ts';
import {
  ACQUIRE,
  ACQUIRE_GUARDED,
  ACQUIRE_GUARDED_WITH_TOKEN,
  ACQUIRE_WITH_TOKEN,
  ADMIT,
  COMMIT,
  EXTEND,
  INSPECT,
  RELEASE,
  type Script,
} from '../../../../src/scripts.ts';

const SCRIPTS: readonly Script[] = [GATHERED, ...SCRIPT_PARTS.map(({ script }) => script)];
/** Nobody waits for what was read from a server. */
const TIMEOUT_MS = 0;

/** A lock command as it was sent to a server. */
export interface SentCommand {
  readonly command: LockCommand;
  /** The run_id that went with it; empty where none did. */
  readonly runId: string;
}

/** The lock commands that these words are to a server, in order: what {@link IoredisNode} sends, read back; none for anything else. */
export function lockCommandsOf([name = '', ...rest]: readonly string[]): readonly SentCommand[] {
  switch (name.toLowerCase()) {
    case 'set':
      return plainAcquire(rest);
    case 'eval':
    case 'evalsha': {
      const [text, keyCount, ...words] = rest;
      const script = SCRIPTS.find(({ lua, sha1 }) => lua === text || sha1 === text);
      const keys = words.slice(0, Number(keyCount));
      const args = words.slice(Number(keyCount));
      if (script === GATHERED) return gathered(keys, args);
      const command = scripted(script, keys, args);
      return command === null ? [] : [command];
    }
    default:
      return [];
  }
}

function plainAcquire([key = '', value = '', px = '', ttl = '', nx = '']: readonly string[]): SentCommand[] {
  if (px.toUpperCase() !== 'PX' || nx.toUpperCase() !== 'NX') return [];
  return [{ command: acquireOf({ key, value, ttl }), runId: '' }];
}

/** Takes what travelled together apart. */
function gathered(keys: readonly string[], args: readonly string[]): SentCommand[] {
  const commands: SentCommand[] = [];
  let key = 0;
  for (let place = 0; place < args.length;) {
    const part = SCRIPT_PARTS.find(({ name }) => name === args[place]);
    if (part === undefined) throw new Error(`a redis-server was sent a part that is no lock command: ${args[place]}`);
    const { script, keyCount, argumentCount } = part;
    const count = Number(args[place + 1]);
    const sharedFrom = place + 2;
    const ownFrom = sharedFrom + Math.max(0, argumentCount - 1);
    const ownCount = Math.min(1, argumentCount);
    const shared = args.slice(sharedFrom, ownFrom);
    for (let each = 0; each < count; each += 1) {
      const own = args.slice(ownFrom + each * ownCount, ownFrom + (each + 1) * ownCount);
      const command = scripted(script, keys.slice(key, key + keyCount), [...own, ...shared]);
      if (command !== null) commands.push(command);
      key += keyCount;
    }
    place = ownFrom + count * ownCount;
  }
  return commands;
}

function scripted(script: Script | undefined, keys: readonly string[], args: readonly string[]): SentCommand | null {
  const [key = ''] = keys;
  const [value = '', number = '', hint = ''] = args;
  switch (script) {
    case ACQUIRE:
      return { command: acquireOf({ key, value, ttl: number }), runId: '' };
    case ACQUIRE_WITH_TOKEN:
      return { command: acquireOf({ key, value, ttl: number, hint }), runId: '' };
    case ACQUIRE_GUARDED: {
      const guard = [...keys.slice(1), ...args.slice(3)];
      return { command: acquireOf({ key, value, ttl: number, guard }), runId: args[2] ?? '' };
    }
    case ACQUIRE_GUARDED_WITH_TOKEN: {
      const guard = [...keys.slice(2), ...args.slice(4)];
      return { command: acquireOf({ key, value, ttl: number, hint, guard }), runId: args[3] ?? '' };
    }
    case ADMIT:
      return {
        command: { kind: 'admit', key, quarantineKey: keys[1] ?? '', timeoutMs: TIMEOUT_MS },
        runId: value,
      };
    case COMMIT:
      return { command: { kind: 'commit', key, value, token: Number(number), timeoutMs: TIMEOUT_MS }, runId: '' };
    case EXTEND:
      return { command: { kind: 'extend', key, value, ttlMs: Number(number), timeoutMs: TIMEOUT_MS }, runId: '' };
    case RELEASE:
      return { command: { kind: 'release', key, value, timeoutMs: TIMEOUT_MS }, runId: '' };
    case INSPECT:
      return { command: { kind: 'inspect', key, timeoutMs: TIMEOUT_MS }, runId: '' };
    default:
      return null;
  }
}

interface AcquireWords {
  readonly key: string;
  readonly value: string;
  readonly ttl: string;
  readonly hint?: string;
  /** Marker, quarantine, and its time to live. */
  readonly guard?: readonly string[];
}

function acquireOf({ key, value, ttl, hint, guard }: AcquireWords): LockCommand {
  const [markerKey = '', quarantineKey = '', quarantine = ''] = guard ?? [];
  return {
    kind: 'acquire',
    key,
    value,
    ttlMs: Number(ttl),
    timeoutMs: TIMEOUT_MS,
    // Whether the value was sent before is not among the words; where it is there, that decides what its client makes of the answer.
    fresh: false,
    tokenHint: hint === undefined ? null : Number(hint),
    guard: guard === undefined ? null : { markerKey, quarantineKey, quarantineMs: Number(quarantine) },
  };
}
