import type { LockReply } from '../../../src/lock-node.ts';
import type { ObservedLog } from '../../history/observed-log.ts';

/** Where the kind of each reply stands in the history's table of texts: looked up once, not for every message. */
export type ReplyPlaces = Readonly<Record<LockReply['kind'], number>>;

export function replyPlaces(log: ObservedLog): ReplyPlaces {
  return {
    granted: log.intern('granted'),
    held: log.intern('held'),
    quarantined: log.intern('quarantined'),
    committed: log.intern('committed'),
    refused: log.intern('refused'),
    extended: log.intern('extended'),
    released: log.intern('released'),
    absent: log.intern('absent'),
    inspected: log.intern('inspected'),
    admitted: log.intern('admitted'),
    failed: log.intern('failed'),
  };
}
