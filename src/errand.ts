import type { LockCommand, LockReply } from './lock-node.ts';
import type { ScriptRequest } from './requests.ts';

export type Settle = (reply: LockReply) => void;

/** A command on its way. */
export interface Errand {
  readonly command: LockCommand;
  /** The moment by the monotonic clock at which its caller gives up. */
  readonly deadlineMs: number;
  /** Until when it is of use, though its caller has given up: later than the deadline for some that release. */
  readonly keptUntilMs: number;
  readonly settle: Settle;
  /** The run_id of the server that it is for; empty where it names none. */
  runId: string;
  /** Which connection it was sent over. */
  epoch: number;
  /** In the terms of scripts; null while the run_id is not known that it names. */
  request: ScriptRequest | null;
  /** Whether it was sent as a plain SET. */
  isPlain: boolean;
}

/** An errand that is run by a script. */
export type ScriptErrand = Errand & { readonly request: ScriptRequest };
