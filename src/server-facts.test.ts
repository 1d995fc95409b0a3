import { describe, expect, it } from 'vitest';
import { infoOf } from '../test/server-info.ts';
import { factsOfError, factsOfInfo, factsOfSlots } from './server-facts.ts';

describe('what INFO tells of a server', () => {
  it('is its run_id, of a master', () => {
    expect(factsOfInfo(infoOf({ run_id: '0a1' }))).toEqual({ kind: 'known', ids: ['0a1'] });
  });

  it.each([
    ['no run_id', infoOf({ run_id: '' })],
    ['a run_id of nothing but zeros, as services have that hide it', infoOf({ run_id: '0'.repeat(40) })],
    ['nothing', ''],
    ['something else', 42],
  ])('may be %s: then nobody can tell it from others', (_what, answer) => {
    const facts = factsOfInfo(answer);
    expect(facts).toEqual({ kind: 'untold', why: new Error('INFO tells no run_id') });
  });

  it.each([
    [
      { redis_mode: 'sentinel' },
      /^this is a Sentinel, which keeps no locks: write \{ sentinels: \[\{ host, port \}\], name \}/,
    ],
    [{ redis_mode: 'cluster' }, /^this is a server of a Redis Cluster: hand over new Cluster\(/],
    [{ loading: '1' }, /^LOADING /],
    [
      { role: 'slave', master_host: 'a.example', master_port: '7001' },
      /^this is a replica of a\.example:7001, .*name the master, or the Sentinels/,
    ],
  ])('makes it unfit: %j', (fields, message) => {
    expect(factsOfInfo(infoOf(fields))).toEqual({
      kind: 'unfit',
      why: expect.objectContaining({ message: expect.stringMatching(message) as string }) as Error,
    });
  });
});

describe('what CLUSTER SLOTS tells of a cluster', () => {
  it('are the ids of its masters, each once, whatever their order', () => {
    const range = (from: number, master: string): unknown => [
      from,
      from + 1,
      ['127.0.0.1', 7001, master, []],
      ['127.0.0.1', 7002, 'fff', []],
    ];
    expect(factsOfSlots([range(0, 'b1'), range(2, 'a2'), range(4, 'b1')])).toEqual({
      kind: 'known',
      ids: ['a2', 'b1'],
    });
  });

  it.each([[[]], [[[0, 1, ['127.0.0.1', 7001]]]], [null], [['?']]])('may be nothing: %j', (answer) => {
    expect(factsOfSlots(answer)).toMatchObject({ kind: 'untold' });
  });
});

describe('an error in place of an answer', () => {
  it.each([
    ["NOPERM this user has no permissions to run the 'info' command", 'untold'],
    ["ERR unknown command 'INFO'", 'untold'],
    ['BUSY Redis is busy running a script', 'unfit'],
    ['NOAUTH Authentication required.', 'unfit'],
  ])('of a server that says %s makes it %s', (message, kind) => {
    expect(factsOfError(new Error(message))).toEqual({ kind, why: new Error(message) });
  });
});
