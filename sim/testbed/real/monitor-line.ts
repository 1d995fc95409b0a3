import type { LockCommand } from '../../../src/lock-node.ts';
import { ACQUIRE_WITH_TOKEN, COMMIT, EXTEND, INSPECT, RELEASE, type Script } from '../../../src/scripts.ts';

const SCRIPTS: readonly Script[] = [ACQUIRE_WITH_TOKEN, COMMIT, EXTEND, INSPECT, RELEASE];
/** Nobody waits for what was read from a server. */
const TIMEOUT_MS = 0;

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', a: '\u0007', b: '\b' };

/** An argument as it was sent: MONITOR writes what is not plain text as escapes (sdscatrepr of Redis). ioredis undoes those of quotes. */
export function unescapeArgument(text: string): string {
  return text.replace(/\\(?:x([0-9a-f]{2})|(.))/gis, (_whole, code: string | undefined, letter: string | undefined) =>
    code === undefined ? (ESCAPES[letter ?? ''] ?? letter ?? '') : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

/** The lock command that a line of Redis' MONITOR tells of; null for any other. */
export function lockCommandOf(args: readonly string[]): LockCommand | null {
  const [name = '', ...rest] = args;
  switch (name.toLowerCase()) {
    case 'set':
      return plainAcquire(rest);
    case 'eval':
    case 'evalsha':
      return scripted(rest);
    default:
      return null;
  }
}

function plainAcquire([key = '', value = '', px = '', ttl = '', nx = '']: readonly string[]): LockCommand | null {
  if (px.toUpperCase() !== 'PX' || nx.toUpperCase() !== 'NX') return null;
  return { kind: 'acquire', key, value, ttlMs: Number(ttl), timeoutMs: TIMEOUT_MS, fresh: true, tokenHint: null };
}

function scripted([text = '', keyCount = '', ...rest]: readonly string[]): LockCommand | null {
  const script = SCRIPTS.find(({ lua, sha1 }) => lua === text || sha1 === text);
  const [key = ''] = rest;
  const [value = '', number = '', hint = ''] = rest.slice(Number(keyCount));
  switch (script) {
    case ACQUIRE_WITH_TOKEN:
      return {
        kind: 'acquire',
        key,
        value,
        ttlMs: Number(number),
        timeoutMs: TIMEOUT_MS,
        fresh: true,
        tokenHint: Number(hint),
      };
    case COMMIT:
      return { kind: 'commit', key, value, token: Number(number), timeoutMs: TIMEOUT_MS };
    case EXTEND:
      return { kind: 'extend', key, value, ttlMs: Number(number), timeoutMs: TIMEOUT_MS };
    case RELEASE:
      return { kind: 'release', key, value, timeoutMs: TIMEOUT_MS };
    case INSPECT:
      return { kind: 'inspect', key, timeoutMs: TIMEOUT_MS };
    default:
      return null;
  }
}
