import { expect, it } from 'vitest';
import { ABSENT, HELD, type LockReply, RELEASED } from '../../src/lock-node.ts';
import { openReply } from './open-reply.ts';

const LOW: LockReply = { kind: 'granted', token: 1 };
const HIGH: LockReply = { kind: 'granted', token: 9 };

/** A reply, and what was decided about it. */
function opened(...candidates: readonly LockReply[]): { reply: LockReply; decisions: unknown[] } {
  const decisions: unknown[] = [];
  return { reply: openReply(candidates, (left, others) => decisions.push({ left, others })), decisions };
}

it('is decided when it is read, once, and leaves what says something else to be tried', () => {
  const { reply, decisions } = opened(RELEASED, ABSENT);
  expect(decisions).toEqual([]);
  expect(reply.kind).toBe('released');
  expect(reply.kind).toBe('released');
  expect(decisions).toEqual([{ left: [RELEASED], others: [[ABSENT]] }]);
});

it('stays open in what is not read, and in what all say alike', () => {
  const { reply, decisions } = opened(LOW, HIGH, HELD);
  expect(reply.kind).toBe('granted');
  expect(decisions).toEqual([{ left: [LOW, HIGH], others: [[HELD]] }]);
  expect('token' in reply).toBe(true);
  expect(decisions).toHaveLength(1);
  expect(reply.kind === 'granted' && reply.token).toBe(1);
  expect(decisions[1]).toEqual({ left: [LOW], others: [[HIGH]] });
});

it('refuses what would tell apart more than a property', () => {
  expect(() => ({ ...opened(LOW, HELD).reply })).toThrow(/may only read its properties/);
});
