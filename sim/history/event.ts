import type {
  ClientClockChanged,
  ClientPaused,
  ClientResumed,
  FaultEnded,
  FaultMissed,
  FaultStarted,
  NodeClockChanged,
  NodeCrashed,
  NodePaused,
  NodeRestarted,
  NodeResumed,
} from './fault-events.ts';

/**
 * What can stand in a history. Every event carries `timeUs`: microseconds of true time since the run
 * began, a clock that only the testbed has. Clients, nodes and the protected resource are named by
 * short strings (`A`, `n1`, `resource`). An `operation` numbers one call of the library in a run, a `command`
 * numbers one command sent to one node; both count from 1.
 */

/** First event of every history: all a checker or a report needs to know about the run. */
export interface RunStarted {
  readonly type: 'run-started';
  readonly timeUs: 0;
  /** Version of this format. */
  readonly format: 1;
  readonly scenario: string;
  readonly title: string;
  readonly backend: string;
  readonly seed: number;
  readonly clients: readonly string[];
  readonly nodes: readonly string[];
  readonly quorum: number;
  /** The longest time to live that any client asks for. */
  readonly longestTtlMs: number;
  readonly clockDriftFactor: number;
  readonly fencing: boolean;
  /** By client: which clock its library reads for elapsed time, and the seconds of it in a true second as the run begins. */
  readonly clocks: Readonly<Record<string, { readonly clock: 'monotonic' | 'wall'; readonly rate: number }>>;
}

/** The workload calls acquire. */
export interface AcquireInvoked {
  readonly type: 'acquire-invoked';
  readonly timeUs: number;
  readonly client: string;
  readonly operation: number;
  /** What is to be locked; several resources with commas between them, here and wherever an event names the resource of a lease. */
  readonly resource: string;
  /** All of them, where there are several. */
  readonly resources?: readonly string[];
  readonly ttlMs: number;
  /** `workload`, or `probe` for the tries after all faults healed, which demand progress. */
  readonly phase: 'workload' | 'probe';
}

/** The library sends the first command of a fresh value: one attempt of an acquire begins. */
export interface AttemptStarted {
  readonly type: 'attempt-started';
  readonly timeUs: number;
  readonly client: string;
  readonly operation: number;
  readonly value: string;
}

/** Acquire resolved: this client holds a lease, and believes so until `validUntilUs` (true time), unless its clock changes. */
export interface AcquireGranted {
  readonly type: 'acquire-granted';
  readonly timeUs: number;
  readonly client: string;
  readonly operation: number;
  readonly resource: string;
  readonly phase: 'workload' | 'probe';
  readonly value: string;
  readonly token: number | null;
  readonly attempts: number;
  /** What the library told the caller. */
  readonly validityMs: number;
  /** The end of that validity in true time, by the client's own clock if that goes on as it does now. */
  readonly validUntilUs: number;
}

/** Acquire rejected. `code` is that of the library's error. */
export interface AcquireFailed {
  readonly type: 'acquire-failed';
  readonly timeUs: number;
  readonly client: string;
  readonly operation: number;
  readonly resource: string;
  readonly phase: 'workload' | 'probe';
  readonly code: string;
}

/** The workload calls extend. `lease` is the operation number of the acquire that was granted. */
export interface ExtendInvoked {
  readonly type: 'extend-invoked';
  readonly timeUs: number;
  readonly client: string;
  readonly operation: number;
  readonly lease: number;
  readonly ttlMs: number;
}

export interface ExtendGranted {
  readonly type: 'extend-granted';
  readonly timeUs: number;
  readonly client: string;
  readonly operation: number;
  readonly lease: number;
  readonly validityMs: number;
  readonly validUntilUs: number;
}

export interface ExtendFailed {
  readonly type: 'extend-failed';
  readonly timeUs: number;
  readonly client: string;
  readonly operation: number;
  readonly lease: number;
  readonly code: string;
}

/** The workload calls release: from here on the client no longer believes that it holds the lease. */
export interface ReleaseInvoked {
  readonly type: 'release-invoked';
  readonly timeUs: number;
  readonly client: string;
  readonly operation: number;
  readonly lease: number;
}

export interface ReleaseDone {
  readonly type: 'release-done';
  readonly timeUs: number;
  readonly client: string;
  readonly operation: number;
  readonly lease: number;
}

export interface ReleaseFailed {
  readonly type: 'release-failed';
  readonly timeUs: number;
  readonly client: string;
  readonly operation: number;
  readonly lease: number;
  readonly code: string;
}

/** The client goes into, and comes out of, the work that the lock protects. */
export interface SectionEntered {
  readonly type: 'section-entered';
  readonly timeUs: number;
  readonly client: string;
  readonly lease: number;
  readonly resource: string;
}

export interface SectionLeft {
  readonly type: 'section-left';
  readonly timeUs: number;
  readonly client: string;
  readonly lease: number;
  readonly resource: string;
}

/** The client sends a write to the protected resource. `write` numbers it, from 1. */
export interface WriteSent {
  readonly type: 'write-sent';
  readonly timeUs: number;
  readonly client: string;
  readonly write: number;
  readonly lease: number;
  readonly resource: string;
  readonly token: number | null;
}

/** The protected resource took the write. */
export interface WriteAccepted {
  readonly type: 'write-accepted';
  readonly timeUs: number;
  readonly client: string;
  readonly write: number;
  readonly lease: number;
  readonly resource: string;
  readonly token: number | null;
}

/** The protected resource turned the write away: it has seen a larger token. */
export interface WriteRefused {
  readonly type: 'write-refused';
  readonly timeUs: number;
  readonly client: string;
  readonly write: number;
  readonly lease: number;
  readonly resource: string;
  readonly token: number | null;
  readonly largestToken: number;
}

export type CommandKind = 'acquire' | 'commit' | 'extend' | 'release' | 'inspect' | 'admit';

/** The client's library hands a command to its connection to one node. */
export interface CommandSent {
  readonly type: 'command-sent';
  readonly timeUs: number;
  readonly command: number;
  readonly client: string;
  readonly node: string;
  readonly kind: CommandKind;
  readonly key: string;
  /** The lock value that the command carries; empty for inspect and admit. */
  readonly value: string;
}

/** The node runs the command. */
export interface CommandExecuted {
  readonly type: 'command-executed';
  readonly timeUs: number;
  readonly command: number;
  readonly client: string;
  readonly node: string;
  readonly kind: CommandKind;
  readonly key: string;
  readonly value: string;
  /** The kind of reply: `granted`, `held`, `released`, `absent` and so on. */
  readonly reply: string;
  /** The value under the key just before; null where there was none. */
  readonly before: string | null;
  /** Whether the command changed the key (created, prolonged or deleted it). */
  readonly changed: boolean;
}

/** The reply reaches the client's library. A `failed` reply is a broken or refused connection, or an error with which a node answers. */
export interface ReplyReceived {
  readonly type: 'reply-received';
  readonly timeUs: number;
  readonly command: number;
  readonly client: string;
  readonly node: string;
  readonly reply: string;
  /** The error with which a real server answered, in its own words; left out where the reply is none. */
  readonly error?: string;
  /** Set where a library did not send the command at all: its connection was down or silent, or its node may not vote. Left out elsewhere. */
  readonly sent?: false;
}

/** A request or a reply, or a write or its acknowledgement, will never arrive. */
export interface MessageLost {
  readonly type: 'message-lost';
  readonly timeUs: number;
  /** The command, or the write when `node` is `resource`. */
  readonly command: number;
  readonly client: string;
  readonly node: string;
  readonly direction: 'request' | 'reply';
  /** The number of the fault that caused it; null for a closed connection without one. */
  readonly fault: number | null;
}

/** A fault made a message slower by `byUs`; on real servers that is its whole time on the way, of which only the least part of the fault is known. */
export interface MessageDelayed {
  readonly type: 'message-delayed';
  readonly timeUs: number;
  readonly command: number;
  readonly client: string;
  readonly node: string;
  readonly direction: 'request' | 'reply';
  readonly byUs: number;
  readonly fault: number;
}

/** A key is gone from a node without a command having deleted it. */
export interface KeyLost {
  readonly type: 'key-lost';
  readonly timeUs: number;
  readonly node: string;
  readonly key: string;
  readonly value: string;
  readonly cause: 'expired' | 'evicted' | 'restart' | 'flush' | 'promotion';
}

/** The workload is over, or was cut off: what is left of faults is healed now. */
export interface WorkloadEnded {
  readonly type: 'workload-ended';
  readonly timeUs: number;
}

/** Every fault is healed and every client runs; what follows demands progress. */
export interface Healed {
  readonly type: 'healed';
  readonly timeUs: number;
}

/** Last event of a complete history. Operations without an outcome by then are pending. */
export interface RunEnded {
  readonly type: 'run-ended';
  readonly timeUs: number;
  /** `completed`, or why the run was cut short; see also `loss.ts`. */
  readonly reason: string;
}

export type HistoryEvent =
  | RunStarted
  | AcquireInvoked
  | AttemptStarted
  | AcquireGranted
  | AcquireFailed
  | ExtendInvoked
  | ExtendGranted
  | ExtendFailed
  | ReleaseInvoked
  | ReleaseDone
  | ReleaseFailed
  | SectionEntered
  | SectionLeft
  | WriteSent
  | WriteAccepted
  | WriteRefused
  | CommandSent
  | CommandExecuted
  | ReplyReceived
  | MessageLost
  | MessageDelayed
  | KeyLost
  | FaultStarted
  | FaultMissed
  | FaultEnded
  | NodeCrashed
  | NodeRestarted
  | NodePaused
  | NodeResumed
  | NodeClockChanged
  | ClientPaused
  | ClientResumed
  | ClientClockChanged
  | WorkloadEnded
  | Healed
  | RunEnded;

export type HistoryEventType = HistoryEvent['type'];
