import {
  ABSENT,
  COMMITTED,
  EXTENDED,
  GRANTED_WITHOUT_TOKEN,
  HELD,
  type LockReply,
  REFUSED,
  RELEASED,
} from '../../src/lock-node.ts';
import { Interner } from './interner.ts';
import type { NodeAnswer } from './node-rules.ts';

const PLAIN: Readonly<Record<NodeAnswer['kind'], LockReply>> = {
  granted: GRANTED_WITHOUT_TOKEN,
  held: HELD,
  committed: COMMITTED,
  refused: REFUSED,
  extended: EXTENDED,
  absent: ABSENT,
  released: RELEASED,
};

const UNREACHABLE: LockReply = { kind: 'failed', error: new Error('The node is down'), sent: true };

/** The replies that were met, each with a number. */
export class Replies {
  private readonly replies = new Interner<LockReply>('different replies');
  /** What a client learns that asks a node which is down. */
  readonly failed: number = this.replies.intern('failed', () => UNREACHABLE);

  numberOf({ kind, token }: NodeAnswer): number {
    if (token < 0) return this.replies.intern(kind, () => PLAIN[kind]);
    return this.replies.intern(`${kind} ${token}`, () => ({ kind: 'granted', token }));
  }

  at(reply: number): LockReply {
    return this.replies.at(reply);
  }
}
