import { describe, expect, it } from 'vitest';
import { GATHERED, wordsOfGathered } from '../../../../src/gathered-script.ts';
import {
  ACQUIRE_GUARDED,
  ACQUIRE_GUARDED_WITH_TOKEN,
  ACQUIRE_WITH_TOKEN,
  ADMIT,
  COMMIT,
  EXTEND,
  INSPECT,
  RELEASE,
} from '../../../../src/scripts.ts';
import { lockCommandsOf } from './lock-command.ts';

const GUARD = { markerKey: 'k:m', quarantineKey: 'k:q', quarantineMs: 505 };
const SCRIPTED = [
  [
    ACQUIRE_WITH_TOKEN,
    ['2', 'k', 'k:c', 'v', '300', '77'],
    { kind: 'acquire', key: 'k', value: 'v', ttlMs: 300, tokenHint: 77, guard: null },
    '',
  ],
  [
    ACQUIRE_GUARDED,
    ['3', 'k', 'k:m', 'k:q', 'v', '300', 'abc', '505'],
    { kind: 'acquire', key: 'k', value: 'v', ttlMs: 300, tokenHint: null, guard: GUARD },
    'abc',
  ],
  [
    ACQUIRE_GUARDED_WITH_TOKEN,
    ['4', 'k', 'k:c', 'k:m', 'k:q', 'v', '300', '77', 'abc', '505'],
    { kind: 'acquire', key: 'k', value: 'v', ttlMs: 300, tokenHint: 77, guard: GUARD },
    'abc',
  ],
  [ADMIT, ['2', 'k:m', 'k:q', 'abc'], { kind: 'admit', key: 'k:m', quarantineKey: 'k:q' }, 'abc'],
  [COMMIT, ['2', 'k', 'k:c', 'v', '78'], { kind: 'commit', key: 'k', value: 'v', token: 78 }, ''],
  [EXTEND, ['1', 'k', 'v', '400'], { kind: 'extend', key: 'k', value: 'v', ttlMs: 400 }, ''],
  [RELEASE, ['1', 'k', 'v'], { kind: 'release', key: 'k', value: 'v' }, ''],
  [INSPECT, ['1', 'k'], { kind: 'inspect', key: 'k' }, ''],
] as const;

describe('lockCommandsOf', () => {
  it.each(SCRIPTED)('knows a script by its text and by its name', ({ lua, sha1 }, args, command, runId) => {
    expect(lockCommandsOf(['eval', lua, ...args])).toMatchObject([{ command, runId }]);
    expect(lockCommandsOf(['EVALSHA', sha1, ...args])).toMatchObject([{ command, runId }]);
  });

  it('knows an acquire without a token', () => {
    const command = { kind: 'acquire', key: 'k', value: 'v', ttlMs: 300, tokenHint: null, guard: null };
    expect(lockCommandsOf(['set', 'k', 'v', 'PX', '300', 'NX'])).toMatchObject([{ command, runId: '' }]);
    expect(lockCommandsOf(['SET', 'k', 'v', 'px', '300', 'nx'])).toMatchObject([{ command, runId: '' }]);
  });

  it('takes apart what travelled together', () => {
    // Two of each kind, which share words, and one more that comes after others.
    const sent = [...SCRIPTED.flatMap((each) => [each, each]), SCRIPTED[0]];
    const parts = sent.map(([script, [keyCount, ...words]]) => {
      const count = Number(keyCount);
      return { request: { script, keys: words.slice(0, count), args: words.slice(count), interpret: () => null } };
    });
    const together = wordsOfGathered(GATHERED.sha1, parts).map(String);
    const commands = sent.map(([, , command, runId]) => ({ command, runId }));
    expect(lockCommandsOf(['evalsha', ...together])).toMatchObject(commands);
    expect(() => lockCommandsOf(['evalsha', GATHERED.sha1, '1', 'k', 'nonsense'])).toThrow('no lock command: nonsense');
  });

  it.each([
    [['set', 'k', 'v']],
    [['set', 'k', 'v', 'EX', '300', 'NX']],
    [['set', 'k', 'v', 'PX', '300']],
    [['get', 'k']],
    [['eval', 'return 1', '1', 'k']],
    [[]],
  ])('takes %j for something else', (args) => {
    expect(lockCommandsOf(args)).toEqual([]);
  });
});
