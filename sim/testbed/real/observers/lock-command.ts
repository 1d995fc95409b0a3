import type { LockCommand } from '../../../../src/lock-node.ts';
import { ACQUIRE_WITH_TOKEN, COMMIT, EXTEND, INSPECT, RELEASE, type Script } from '../../../../src/scripts.ts';

const SCRIPTS: readonly Script[] = [ACQUIRE_WITH_TOKEN, COMMIT, EXTEND, INSPECT, RELEASE];
/** Nobody waits for what was read from a server. */
const TIMEOUT_MS = 0;

/** The lock command that these words are to a server: what {@link IoredisNode} sends, read back; null for any other. */
export function lockCommandOf([name = '', ...rest]: readonly string[]): LockCommand | null {
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
