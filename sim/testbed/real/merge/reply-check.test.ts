import { describe, expect, it } from 'vitest';
import type {
  CommandExecuted,
  CommandSent,
  ReplyReceived,
  WriteAccepted,
  WriteRefused,
  WriteSent,
} from '../../../history/event.ts';
import { HistoryLog } from '../../../history/history-log.ts';
import type { WriteDecision } from '../../../workload/protected-resource.ts';
import { findModelMismatch } from './reply-check.ts';
import { observationOf } from './observation.ts';

const SENT: CommandSent = {
  type: 'command-sent',
  timeUs: 1,
  command: 9,
  client: 'A',
  node: 'n1',
  kind: 'acquire',
  key: 'lock:r',
  value: 'v',
};
const RAN: CommandExecuted = { ...SENT, type: 'command-executed', reply: 'granted', before: null, changed: true };
const RECEIVED: ReplyReceived = {
  type: 'reply-received',
  timeUs: 3,
  command: 9,
  client: 'A',
  node: 'n1',
  reply: 'granted',
};
const REFUSED: ReplyReceived = { ...RECEIVED, reply: 'failed', error: 'OOM command not allowed' };

function problemOf(
  execution: CommandExecuted | null,
  received: ReplyReceived | null,
  unclaimed: CommandExecuted[] = [],
): string | null {
  const exchange = { sent: SENT, execution: execution === null ? null : observationOf(execution), received };
  return findModelMismatch({ history: new HistoryLog(), exchanges: [exchange], unclaimed, writes: [] });
}

describe('findModelMismatch', () => {
  it.each([
    ['agree', RAN, RECEIVED],
    ['cannot be compared, for nothing came back', RAN, null],
    ['cannot be compared, for the connection broke', RAN, { ...RECEIVED, reply: 'failed' }],
    ['are not there', null, null],
    ['cannot be compared, for it never ran', null, { ...RECEIVED, reply: 'failed' }],
    ['agree that it was refused', { ...RAN, reply: 'failed', changed: false }, REFUSED],
    ['can agree, for it was refused before it ran', null, REFUSED],
  ])('finds nothing where they %s', (_what, execution, received) => {
    expect(problemOf(execution, received)).toBeNull();
  });

  it('tells an answer that differs from the one that was concluded', () => {
    expect(problemOf({ ...RAN, reply: 'held' }, RECEIVED)).toBe(
      'n1 answered command 9 of A (acquire lock:r) with granted, but by what was seen of it it had to answer held',
    );
  });

  it('tells an error where there had to be none', () => {
    expect(problemOf(RAN, REFUSED)).toBe(
      'n1 answered command 9 of A (acquire lock:r) with failed, but by what was seen of it it had to answer granted',
    );
  });

  it('tells an answer to what was not seen to run', () => {
    expect(problemOf(null, RECEIVED)).toBe('n1 answered command 9 of A (acquire lock:r), but was not seen to run it');
  });

  it('tells a command that nobody sent', () => {
    expect(problemOf(RAN, RECEIVED, [RAN])).toBe('n1 ran a command that no client sent: acquire lock:r v');
  });

  describe('of a write', () => {
    const names = { client: 'A', write: 3, lease: 1, resource: 'r', token: 4 };
    const sent: WriteSent = { type: 'write-sent', timeUs: 1, ...names };
    const accepted: WriteAccepted = { type: 'write-accepted', timeUs: 2, ...names };
    const refused: WriteRefused = { type: 'write-refused', timeUs: 2, ...names, largestToken: 5 };

    function problemOfWrite(event: WriteAccepted | WriteRefused | null, decision: WriteDecision | null): string | null {
      const write = { sent, taken: event === null ? null : observationOf(event), decision, error: null };
      return findModelMismatch({ history: new HistoryLog(), exchanges: [], unclaimed: [], writes: [write] });
    }

    it.each([
      ['agree that it was taken', accepted, { accepted: true }],
      ['agree that it was refused', refused, { accepted: false, largestToken: 5 }],
      ['cannot be compared, for nothing came back', refused, null],
      ['are not there', null, null],
    ] as const)('finds nothing where they %s', (_what, event, decision) => {
      expect(problemOfWrite(event, decision)).toBeNull();
    });

    it.each([
      [refused, { accepted: true }, 'accepted', 'refused, for it has seen the token 5'],
      [accepted, { accepted: false, largestToken: 5 }, 'refused, for it has seen the token 5', 'accepted'],
      [
        refused,
        { accepted: false, largestToken: 6 },
        'refused, for it has seen the token 6',
        'refused, for it has seen the token 5',
      ],
    ] as const)(
      'tells an answer that differs from the one that was concluded: %j, %j',
      (event, decision, is, hadToBe) => {
        expect(problemOfWrite(event, decision)).toBe(
          `the resource answered write 3 of A (r) with ${is}, but by what was seen of it it had to answer ${hadToBe}`,
        );
      },
    );

    it('tells an answer to what was not seen to run', () => {
      expect(problemOfWrite(null, { accepted: true })).toBe(
        'the resource answered write 3 of A (r), but was not seen to run it',
      );
    });
  });
});
