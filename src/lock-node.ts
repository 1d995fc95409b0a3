import type { RestartGuard } from './restart-guard.ts';

/**
 * One Redis master as the algorithm sees it: typed commands go in, one typed reply comes back.
 * The ioredis node turns them into Redis commands; the simulator's model node answers them itself;
 * one conformance suite holds both to the same answers.
 */
export interface LockNode {
  /** Names the node in errors and reports, `host:port` for a Redis server; unique within one Redlock. */
  readonly id: string;
  /**
   * Starts `command` and returns at once. `settle` is called at most once, never within this call,
   * with what the node answered or with a `failed` reply. It may be called late, or never:
   * the caller bounds its own wait, and a late reply still counts for the clean-up.
   */
  execute(command: LockCommand, settle: (reply: LockReply) => void): void;
  /** Where the node is a whole Redis Cluster, which wants all keys of one lock in one hash slot: what its client puts before every key. */
  readonly cluster?: { readonly keyPrefix: string };
  /** Closes the connection. `owned` tells whether distrilock opened it. Absent where there is nothing to close. */
  readonly connection?: {
    readonly owned: boolean;
    /** Resolves, and never rejects, once the connection is closed or given up. */
    quit(): Promise<void>;
  };
}

/**
 * Store `value` under `key`, to live `ttlMs` from now, unless another value is there. The same value there is granted, and lives at least so long; a
 * fresh one that nobody can have sent again is `held`, for another node has led it to the same server.
 */
export interface AcquireCommand {
  readonly kind: 'acquire';
  readonly key: string;
  readonly value: string;
  readonly ttlMs: number;
  /** How long the caller waits: a node that could not even send the command by then must drop it. */
  readonly timeoutMs: number;
  /** Whether this value is sent to each node for the first time: only a command that a connection resent, or another node of the same server, can then have stored it. */
  readonly fresh: boolean;
  /** With fencing, the least token wanted (microseconds of the client's wall clock); null without. */
  readonly tokenHint: number | null;
  /** A node that does not know that it kept its keys must answer `quarantined`, see {@link RestartGuard}; null without the guard. */
  readonly guard: RestartGuard | null;
}

/** While `key` still holds `value` and the counter is not above `token`: counter := token. */
export interface CommitCommand {
  readonly kind: 'commit';
  readonly key: string;
  readonly value: string;
  readonly timeoutMs: number;
  readonly token: number;
}

/** If `key` holds `value`, let it live `ttlMs` from now, or longer if it already does. Never recreates it. */
export interface ExtendCommand {
  readonly kind: 'extend';
  readonly key: string;
  readonly value: string;
  readonly ttlMs: number;
  readonly timeoutMs: number;
}

/** If `key` holds `value`, delete it. */
export interface ReleaseCommand {
  readonly kind: 'release';
  readonly key: string;
  readonly value: string;
  readonly timeoutMs: number;
}

/** Read `key`. */
export interface InspectCommand {
  readonly kind: 'inspect';
  readonly key: string;
  readonly timeoutMs: number;
}

/** Take the node for one that has forgotten nothing: its quarantine is over, or never begins. */
export interface AdmitCommand {
  readonly kind: 'admit';
  /** The guard's marker. */
  readonly key: string;
  readonly quarantineKey: string;
  readonly timeoutMs: number;
}

/** Whatever a node can be asked. */
export type LockCommand =
  AcquireCommand | CommitCommand | ExtendCommand | ReleaseCommand | InspectCommand | AdmitCommand;

/**
 * - to acquire: `granted` (the node holds our value; `token` is its counter, null without fencing), `held` (another value is there)
 *   or `quarantined` (the node may have forgotten locks, and stored nothing)
 * - to commit: `committed`, or `refused` (our value is gone, or the counter is above the token)
 * - to extend: `extended`, or `absent` (our value is not there)
 * - to release: `released`, or `absent` (our value is not there)
 * - to inspect: `inspected` with the value and the milliseconds it still has to live, both null where there is no key
 * - to admit: `admitted`
 * - to any: `failed`, with the reason. Whether the command ran is then unknown, unless `sent` is false; with `mayHold` some server said that it
 *   holds our value, and that is no vote.
 */
export type LockReply =
  | { readonly kind: 'granted'; readonly token: number | null }
  | { readonly kind: 'held' }
  | { readonly kind: 'quarantined' }
  | { readonly kind: 'committed' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'extended' }
  | { readonly kind: 'released' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'inspected'; readonly value: string | null; readonly remainingMs: number | null }
  | { readonly kind: 'admitted' }
  | { readonly kind: 'failed'; readonly error: Error; readonly sent: boolean; readonly mayHold?: true };

/** Replies that carry nothing, made once: a simulator answers millions of them. */
export const GRANTED_WITHOUT_TOKEN: LockReply = Object.freeze({ kind: 'granted', token: null });
export const HELD: LockReply = Object.freeze({ kind: 'held' });
export const QUARANTINED: LockReply = Object.freeze({ kind: 'quarantined' });
export const COMMITTED: LockReply = Object.freeze({ kind: 'committed' });
export const REFUSED: LockReply = Object.freeze({ kind: 'refused' });
export const EXTENDED: LockReply = Object.freeze({ kind: 'extended' });
export const RELEASED: LockReply = Object.freeze({ kind: 'released' });
export const ABSENT: LockReply = Object.freeze({ kind: 'absent' });
export const ADMITTED: LockReply = Object.freeze({ kind: 'admitted' });
