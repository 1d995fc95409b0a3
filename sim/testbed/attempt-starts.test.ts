import { expect, it } from 'vitest';
import type { LockCommand } from '../../src/lock-node.ts';
import { AttemptStarts } from './attempt-starts.ts';

function acquire(key: string, value: string): LockCommand {
  return { kind: 'acquire', key, value, ttlMs: 100, timeoutMs: 10, fresh: true, tokenHint: null, guard: null };
}

/** Which commands begin attempts, where each round goes to three nodes. */
function starts(...rounds: readonly (readonly LockCommand[])[]): boolean[] {
  const attempts = new AttemptStarts();
  const nodes = [1, 2, 3];
  return rounds.flatMap((commands) => nodes.flatMap(() => commands.map((command) => attempts.isBegunBy(command))));
}

it('an attempt begins with its first command to the first node', () => {
  expect(starts([acquire('a', 'v')])).toEqual([true, false, false]);
  expect(starts([acquire('a', 'v'), acquire('b', 'v')])).toEqual([true, false, false, false, false, false]);
});

it('the next one begins with its own value, or with new commands where it has the same', () => {
  const first = [acquire('a', 'v'), acquire('b', 'v')];
  const release: LockCommand = { kind: 'release', key: 'a', value: 'v', timeoutMs: 10 };
  const begun = [true, false, false, false, false, false];
  expect(starts(first, [release], [acquire('a', 'w'), acquire('b', 'w')])).toEqual([
    ...begun,
    ...[false, false, false],
    ...begun,
  ]);
  expect(starts(first, [acquire('a', 'v'), acquire('b', 'v')])).toEqual([...begun, ...begun]);
});
