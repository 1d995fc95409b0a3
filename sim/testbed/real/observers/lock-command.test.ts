import { describe, expect, it } from 'vitest';
import { ACQUIRE_WITH_TOKEN, COMMIT, EXTEND, INSPECT, RELEASE } from '../../../../src/scripts.ts';
import { lockCommandOf } from './lock-command.ts';

const SCRIPTED = [
  [
    ACQUIRE_WITH_TOKEN,
    ['2', 'k', 'k:c', 'v', '300', '77'],
    { kind: 'acquire', key: 'k', value: 'v', ttlMs: 300, tokenHint: 77 },
  ],
  [COMMIT, ['2', 'k', 'k:c', 'v', '78'], { kind: 'commit', key: 'k', value: 'v', token: 78 }],
  [EXTEND, ['1', 'k', 'v', '400'], { kind: 'extend', key: 'k', value: 'v', ttlMs: 400 }],
  [RELEASE, ['1', 'k', 'v'], { kind: 'release', key: 'k', value: 'v' }],
  [INSPECT, ['1', 'k'], { kind: 'inspect', key: 'k' }],
] as const;

describe('lockCommandOf', () => {
  it.each(SCRIPTED)('knows a script by its text and by its name', ({ lua, sha1 }, args, command) => {
    expect(lockCommandOf(['eval', lua, ...args])).toMatchObject(command);
    expect(lockCommandOf(['EVALSHA', sha1, ...args])).toMatchObject(command);
  });

  it('knows an acquire without a token', () => {
    const command = { kind: 'acquire', key: 'k', value: 'v', ttlMs: 300, tokenHint: null };
    expect(lockCommandOf(['set', 'k', 'v', 'PX', '300', 'NX'])).toMatchObject(command);
    expect(lockCommandOf(['SET', 'k', 'v', 'px', '300', 'nx'])).toMatchObject(command);
  });

  it.each([
    [['set', 'k', 'v']],
    [['set', 'k', 'v', 'EX', '300', 'NX']],
    [['set', 'k', 'v', 'PX', '300']],
    [['get', 'k']],
    [['eval', 'return 1', '1', 'k']],
    [[]],
  ])('takes %j for something else', (args) => {
    expect(lockCommandOf(args)).toBeNull();
  });
});
