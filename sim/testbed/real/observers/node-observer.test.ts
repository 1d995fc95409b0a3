import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LockCommand, LockNode, LockReply } from '../../../../src/lock-node.ts';
import { fencingCounterKey } from '../../../../src/fencing-counter-key.ts';
import { nodesFrom } from '../../../../src/nodes.ts';
import { restartGuardOf } from '../../../../src/restart-guard.ts';
import { EXTEND, RELEASE } from '../../../../src/scripts.ts';
import { systemEnvironment } from '../../../../src/system-environment.ts';
import {
  hasRedisServer,
  NEEDS_REDIS_SERVER,
  type RedisServer,
  startRedisServer,
} from '../../../../test/redis-server.ts';
import type { KeyLost } from '../../../history/event.ts';
import type { Execution } from '../merge/command-matcher.ts';
import { RunLostError } from '../../testbed-error.ts';
import { NodeObserver } from './node-observer.ts';

const PREFIX = 'lock:';

function acquire(key: string, value: string, ttlMs: number, tokenHint: number | null = null): LockCommand {
  return { kind: 'acquire', key: PREFIX + key, value, ttlMs, timeoutMs: 5000, fresh: true, tokenHint, guard: null };
}

function byValue(
  kind: 'extend' | 'release' | 'commit' | 'inspect',
  key: string,
  value: string,
  number = 0,
): LockCommand {
  const common = { key: PREFIX + key, value, timeoutMs: 5000 };
  switch (kind) {
    case 'extend':
      return { kind, ...common, ttlMs: number };
    case 'commit':
      return { kind, ...common, token: number };
    default:
      return { kind, ...common };
  }
}

describe.skipIf(!hasRedisServer)(`what is seen of a node (${NEEDS_REDIS_SERVER})`, () => {
  let server: RedisServer;
  let admin: Redis;
  let node: LockNode;
  let observer: NodeObserver;
  let executions: Execution[];
  let losses: KeyLost[];
  let broken: string[];
  let clockUs = 0;

  beforeAll(async () => {
    server = await startRedisServer();
  });

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    executions = [];
    losses = [];
    broken = [];
    admin = new Redis({ host: '127.0.0.1', port: server.port });
    await admin.flushall();
    await admin.config('SET', 'maxmemory', '0');
    await admin.config('SET', 'maxmemory-policy', 'noeviction');
    [node] = nodesFrom([{ host: '127.0.0.1', port: server.port }], systemEnvironment) as [LockNode];
    observer = new NodeObserver({
      node: 'n1',
      address: { host: '127.0.0.1', port: server.port },
      keyPrefix: PREFIX,
      nowUs: () => (clockUs += 1),
      hasSteadyClock: false,
      onExecuted: (execution) => executions.push(execution),
      onKeyLost: (event) => losses.push(event),
      onLost: ({ message }) => broken.push(message),
    });
    await observer.connection.open();
    await observer.readClock();
  });

  afterEach(async () => {
    observer.connection.close();
    admin.disconnect();
    await node.connection?.quit();
    expect(broken).toEqual([]);
  });

  function execute(command: LockCommand): Promise<LockReply> {
    return new Promise((resolve) => node.execute(command, resolve));
  }

  /** What was seen, in short. */
  async function seen(): Promise<string[]> {
    await observer.connection.catchUp();
    return executions.map(
      ({ kind, key, value, reply, before, changed }) =>
        `${kind} ${key.slice(PREFIX.length)} ${value} ${reply} ${before ?? '-'} ${changed ? 'changed' : 'same'}`,
    );
  }

  function lost(): string[] {
    return losses.map(({ key, value, cause }) => `${key.slice(PREFIX.length)} ${value} ${cause}`);
  }

  it.each([
    { kind: 'release', script: RELEASE, writes: 'DEL', reply: 'released', left: [] },
    { kind: 'extend', script: EXTEND, writes: 'PEXPIRE', reply: 'extended', left: ['lock:a'] },
  ])(
    'is a $kind of what another holds, where the script does not compare',
    async ({ kind, script, writes, reply, left }) => {
      await execute(acquire('a', 'mine', 10_000));
      await observer.connection.catchUp();
      const key = `${PREFIX}a`;
      const stray = (calls: readonly string[]): Execution | undefined => {
        observer.model.onCommand(['EVAL', script.lua, '1', key, 'other', '20000'], Date.now(), (clockUs += 1));
        for (const call of calls) observer.model.onScriptedCommand([call, key]);
        observer.model.onEnd();
        return executions.at(-1);
      };
      const seen = { kind, value: 'other', before: 'mine' };
      expect(stray(['GET'])).toMatchObject({ ...seen, reply: 'absent', changed: false });
      expect(stray(['GET', writes])).toMatchObject({ ...seen, reply, changed: true });
      expect(observer.keys()).toEqual(left);
    },
  );

  it('every kind of command, twice, so that scripts go by their names too', async () => {
    for (const value of ['v', 'w']) {
      await execute(acquire('plain', value, 60_000));
      await execute(acquire('fenced', value, 60_000, 1000));
      await execute(byValue('commit', 'fenced', value, 1000));
      await execute(byValue('extend', 'plain', value, 90_000));
      await execute(byValue('inspect', 'plain', value));
      await execute(byValue('release', 'plain', value));
    }
    expect(await seen()).toEqual([
      'acquire plain v granted - changed',
      'acquire fenced v granted - changed',
      'commit fenced v committed v same',
      'extend plain v extended v changed',
      'inspect plain  inspected v same',
      'release plain v released v changed',
      'acquire plain w granted - changed',
      'acquire fenced w held v same',
      'commit fenced w refused v same',
      'extend plain w extended w changed',
      'inspect plain  inspected w same',
      'release plain w released w changed',
    ]);
  });

  it('a release that finds nothing of its own, after one that deleted the key', async () => {
    await execute(acquire('a', 'mine', 10_000));
    await execute(byValue('release', 'a', 'mine'));
    await execute(acquire('a', 'other', 10_000));
    await execute(byValue('release', 'a', 'mine'));
    expect(await seen()).toEqual([
      'acquire a mine granted - changed',
      'release a mine released mine changed',
      'acquire a other granted - changed',
      'release a mine absent other same',
    ]);
    expect(observer.keys()).toEqual(['lock:a']);
  });

  it('the restart guard, from the first admission on: what a quarantine refuses, and when it is over', async () => {
    // A quarantine of 3 ms.
    const guard = restartGuardOf(PREFIX, 1, 0);
    const [guarded] = nodesFrom([{ host: 'localhost', port: server.port }], systemEnvironment, true) as [LockNode];
    const given: string[] = [];
    const ask = (value: string, tokenHint: number | null): Promise<void> =>
      new Promise((resolve) => {
        guarded.execute({ ...acquire('r', value, 2, tokenHint), guard } as LockCommand, ({ kind }) => {
          given.push(`${value} ${kind}`);
          resolve();
        });
      });
    await observer.admit(guard);
    await ask('first', null);
    // The ends of quarantines and of keys fall between commands that are sent as fast as they go.
    for (let number = 0; number < 1500; number += 1) {
      if (number % 50 === 0) await admin.flushall();
      if (number % 50 === 25) {
        await admin.replicaof('localhost', 1);
        await admin.replicaof('NO', 'ONE');
      }
      await Promise.all([ask(`${number}a`, null), ask(`${number}b`, 0)]);
    }
    await observer.readKeys('restart');
    for (let number = 1500; number < 1520; number += 1) await ask(`${number}`, null);
    await observer.connection.catchUp();
    await guarded.connection?.quit();
    const seenReplies = executions.map(({ value, reply }) => `${value} ${reply}`);
    expect(given[0]).toBe('first granted');
    expect(new Set(given.map((one) => one.split(' ')[1]))).toEqual(new Set(['granted', 'held', 'quarantined']));
    expect(seenReplies.sort()).toEqual(given.sort());
  });

  it('keys and values of whatever letters', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary', minLength: 1 }),
        async (key, value) => {
          const isWellFormed = Buffer.from(key + value).toString('utf8') === key + value;
          fc.pre(isWellFormed);
          executions = [];
          await execute(acquire(key, value, 60_000));
          await execute(byValue('release', key, value));
          await observer.connection.catchUp();
          expect(executions).toMatchObject([
            { kind: 'acquire', key: PREFIX + key, value, reply: 'granted' },
            { kind: 'release', key: PREFIX + key, value, reply: 'released' },
          ]);
        },
      ),
      {
        seed: 1,
        numRuns: 200,
        examples: [
          ['" "', '\\'],
          ['\r\n', '" "x" "'],
          ['é🔒\0', '\\x41\\'],
        ],
      },
    );
  });

  it('nothing of keys that belong to others, nor of other commands', async () => {
    await admin.set('other:k', 'v', 'PX', 100, 'NX');
    await admin.set(`${PREFIX}k`, 'v');
    await admin.get(`${PREFIX}k`);
    expect(await seen()).toEqual([]);
  });

  it(
    'answers are those of the server, whenever keys end: commands are sent as fast as they go around the ends of their keys',
    { timeout: 30_000 },
    async () => {
      const nodes = [node, ...nodesFrom([{ host: 'localhost', port: server.port }], systemEnvironment)];
      const answers: string[][] = [];
      let number = 0;
      const until = performance.now() + 2500;
      const busy = async (one: LockNode, name: string, fenced: boolean): Promise<void> => {
        const own: string[] = [];
        answers.push(own);
        const ask = (command: LockCommand): Promise<string> =>
          new Promise((resolve) => {
            one.execute(command, ({ kind }) => {
              own.push(`${command.kind} ${'value' in command ? command.value : ''} ${kind}`);
              resolve(kind);
            });
          });
        while (performance.now() < until) {
          number += 1;
          const value = `${name}${number}`;
          const reply = await ask(acquire('r', value, 1 + (number % 7), fenced ? 0 : null));
          if (reply !== 'granted') continue;
          if (number % 3 === 0) await ask(byValue('extend', 'r', value, 1 + (number % 5)));
          if (number % 4 === 0) await ask(byValue('release', 'r', value));
        }
      };
      await Promise.all(nodes.flatMap((one, index) => [busy(one, `a${index}-`, false), busy(one, `b${index}-`, true)]));
      await observer.connection.catchUp();
      await nodes[1]?.connection?.quit();
      const concluded = new Set(executions.map(({ kind, value, reply }) => `${kind} ${value} ${reply}`));
      const given = answers.flat();
      expect(given.length).toBeGreaterThan(1000);
      expect(given.filter((answer) => !concluded.has(answer))).toEqual([]);
      expect(losses.length).toBeGreaterThan(50);
      expect(new Set(losses.map(({ cause }) => cause))).toEqual(new Set(['expired']));
    },
  );

  it(
    'answers are those of the server for commands that travel together, whenever keys and quarantines end',
    { timeout: 30_000 },
    async () => {
      const guard = restartGuardOf(PREFIX, 1, 0);
      const [together] = nodesFrom([{ host: 'localhost', port: server.port }], systemEnvironment, true) as [LockNode];
      await observer.admit(guard);
      await admin.config('RESETSTAT');
      const given: string[] = [];
      const ask = (command: LockCommand): Promise<void> =>
        new Promise((resolve) => {
          together.execute(command, ({ kind }) => {
            given.push(`${command.kind} ${'value' in command ? command.value : ''} ${kind}`);
            resolve();
          });
        });
      let commandCount = 0;
      for (let number = 0; number < 1500; number += 1) {
        if (number % 40 === 0) await admin.flushall();
        const value = (name: string): string => `${name}${number}`;
        const commands: LockCommand[] = [
          acquire('r', value('a'), 1 + (number % 5), 0),
          { ...acquire('r', value('b'), 1 + (number % 3)), guard } as LockCommand,
          acquire('s', value('c'), 1 + (number % 7)),
          byValue('extend', 's', value('c'), 3),
          ...(number % 3 === 0 ? [byValue('release', 'r', value('a')), acquire('r', value('d'), 2)] : []),
          { ...acquire('s', value('e'), 2, 0), guard } as LockCommand,
          byValue('commit', 'r', value('a'), number),
          byValue('inspect', 'r', ''),
        ];
        commandCount += commands.length;
        await Promise.all(commands.map(ask));
      }
      await observer.connection.catchUp();
      await together.connection?.quit();
      const [, calls] = /cmdstat_evalsha:calls=(\d+)/.exec(await admin.info('commandstats')) ?? [];
      expect(Number(calls)).toBeLessThan(1501);
      const seenReplies = executions.map(({ kind, value, reply }) => `${kind} ${value} ${reply}`);
      expect(seenReplies).toHaveLength(commandCount);
      expect(new Set(seenReplies.map((one) => one.split(' ').at(-1))).size).toBeGreaterThan(7);
      // In the order in which they were given, too.
      expect(seenReplies).toEqual(given);
      expect(losses.filter(({ cause }) => cause === 'expired').length).toBeGreaterThan(50);
    },
  );

  it('what a full server refuses of commands that travel together', async () => {
    await execute(acquire('a', 'v', 60_000));
    await observer.limitMemory(1);
    const first = await Promise.all([
      execute(acquire('a', 'w', 60_000)),
      execute(acquire('b', 'w', 60_000)),
      execute({ ...acquire('a', 'v', 90_000), fresh: false } as LockCommand),
      execute(acquire('b', 'x', 60_000, 7)),
    ]);
    const second = await Promise.all([
      execute(acquire('c', 'y', 60_000)),
      execute(byValue('release', 'a', 'v')),
      // Once a script has written, a server lets it go on.
      execute(acquire('c', 'z', 60_000)),
    ]);
    await observer.limitMemory(0);
    const given = [...first, ...second].map(({ kind }) => kind);
    expect(given).toEqual(['held', 'failed', 'granted', 'granted', 'failed', 'released', 'granted']);
    await seen();
    expect(executions.slice(1).map(({ reply }) => reply)).toEqual(given);
  });

  it('a key that is over is lost, at the latest when somebody makes the server look', async () => {
    await execute(acquire('short', 'v', 5));
    await execute(acquire('long', 'w', 60_000));
    await observer.connection.catchUp();
    expect(observer.holds(`${PREFIX}long`, 'w')).toBe(true);
    expect(observer.holds(`${PREFIX}long`, 'v')).toBe(false);
    while ((await admin.pttl(`${PREFIX}short`)) > 0);
    await new Promise((resolve) => setTimeout(resolve, 10));
    await observer.touchKeys();
    expect(lost()).toEqual(['short v expired']);
    expect(observer.keys()).toEqual([`${PREFIX}long`]);
  });

  it('a flush takes all keys just where it stands among the commands', async () => {
    await execute(acquire('a', 'v', 60_000, 77));
    const replies = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        index === 20 ? admin.flushall() : execute(acquire('a', `w${index}`, 60_000, 5)),
      ),
    );
    const given = replies.flatMap((reply, index) => (typeof reply === 'string' ? [] : [`w${index} ${reply.kind}`]));
    await seen();
    expect(executions.slice(1).map(({ value, reply }) => `${value} ${reply}`)).toEqual(given);
    // Whoever came first after it has got the lock.
    expect(given.filter((one) => one.endsWith('granted')).length).toBeLessThan(2);
    expect(lost()).toEqual(['a v flush']);
  });

  it.each(['allkeys-random', 'volatile-lru'])(
    'an eviction under %s takes keys, and refuses what comes then',
    async (policy) => {
      await admin.config('SET', 'maxmemory-policy', policy);
      await execute(acquire('a', 'v', 60_000, 77));
      await execute(acquire('b', 'w', 60_000));
      await observer.limitMemory(1);
      for (let looks = 0; observer.keys().length > 0 && looks < 100; looks += 1) {
        await admin.set('x', '1').catch(() => undefined);
        await observer.connection.catchUp();
      }
      expect(lost().sort()).toEqual(['a v evicted', 'b w evicted']);
      const refused = await execute(acquire('c', 'x', 60_000, 1));
      await observer.limitMemory(0);
      const taken = await execute(acquire('a', 'y', 60_000, 5));
      expect([refused.kind, taken]).toMatchObject([
        'failed',
        { kind: 'granted', token: policy === 'allkeys-random' ? 5 : 78 },
      ]);
      // The model has forgotten the counter if the server has.
      const committed = await execute(byValue('commit', 'a', 'y', 10));
      expect(committed.kind).toBe(policy === 'allkeys-random' ? 'committed' : 'refused');
      expect((await seen()).at(-1)).toBe(`commit a y ${committed.kind} y same`);
      expect((await seen()).slice(-3, -1)).toEqual(['acquire c x failed - same', 'acquire a y granted - changed']);
      expect(await execute(acquire('a', 'z', 60_000, 5))).toMatchObject({ kind: 'held' });
    },
  );

  it('under noeviction nothing new is taken, and what is there stays', async () => {
    await execute(acquire('a', 'v', 60_000));
    await observer.limitMemory(1);
    const replies = [
      await execute(acquire('b', 'w', 60_000)),
      await execute(acquire('b', 'w', 60_000, 1)),
      await execute(byValue('release', 'a', 'v')),
    ];
    await observer.limitMemory(0);
    replies.push(await execute(acquire('b', 'w', 60_000)));
    expect(replies.map(({ kind }) => kind)).toEqual(['failed', 'failed', 'released', 'granted']);
    // A plain SET is refused unseen.
    expect((await seen()).slice(1)).toEqual([
      'acquire b w failed - same',
      'release a v released v changed',
      'acquire b w granted - changed',
    ]);
    expect(losses).toEqual([]);
  });

  it('takes on what a server holds, with the counters; what it lacks is lost', async () => {
    await execute(acquire('kept', 'v', 60_000, 100));
    await execute(acquire('gone', 'w', 60_000));
    await execute(acquire('{tag}x', 'y', 60_000, 200));
    observer.connection.close();
    await admin.del(`${PREFIX}gone`);
    await admin.set('other:k', 'v');
    await observer.connection.open();
    expect(await observer.readKeys('restart')).toBe(2);
    expect(lost()).toEqual(['gone w restart']);
    for (const key of ['kept', '{tag}x']) {
      const again = acquire(key, key === 'kept' ? 'v' : 'y', 60_000, 5);
      const reply = await execute({ ...again, fresh: false } as LockCommand);
      expect(reply).toMatchObject({ token: key === 'kept' ? 101 : 201 });
      expect(await admin.get(fencingCounterKey(PREFIX + key))).toBe(key === 'kept' ? '101' : '201');
    }
    expect((await seen()).slice(-2)).toEqual([
      'acquire kept v granted v changed',
      'acquire {tag}x y granted y changed',
    ]);
  });

  it('sees all that a server did before it ended, and says so if nobody wanted that', async () => {
    const own = await startRedisServer();
    try {
      const [busy] = nodesFrom([{ host: '127.0.0.1', port: own.port }], systemEnvironment) as [LockNode];
      const ends: string[] = [];
      const runs: Execution[] = [];
      const other = new NodeObserver({
        node: 'n2',
        address: { host: '127.0.0.1', port: own.port },
        keyPrefix: PREFIX,
        nowUs: () => (clockUs += 1),
        hasSteadyClock: true,
        onExecuted: (execution) => runs.push(execution),
        onKeyLost: () => undefined,
        onLost: ({ message }) => ends.push(message),
      });
      await other.connection.open();
      const replies: Promise<LockReply>[] = [];
      const send = (count: number): void => {
        for (let index = 0; index < count; index += 1) {
          replies.push(new Promise((resolve) => busy.execute(acquire(`k${replies.length}`, 'v', 60_000), resolve)));
        }
      };
      send(1);
      await replies[0];
      send(300);
      // The server answers and reports, and nobody listens yet.
      await new Promise(setImmediate);
      for (const untilMs = performance.now() + 100; performance.now() < untilMs;);
      let killed: Promise<void> = Promise.resolve();
      // Not awaited: whatever is still on its way then is waited for.
      await other.connection.outlive(() => {
        killed = own.kill();
        return Promise.resolve();
      });
      const seenByThen = runs.length;
      await killed;
      const answered = (await Promise.all(replies)).filter(({ kind }) => kind === 'granted').length;
      expect(answered).toBeGreaterThan(50);
      expect(seenByThen).toBeGreaterThanOrEqual(answered);
      expect(ends).toEqual([]);
      await own.start();
      await other.connection.open();
      await own.kill();
      while (ends.length === 0) await new Promise(setImmediate);
      expect(ends).toEqual([
        `the server behind 127.0.0.1:${own.port} cannot be watched any more: the connection broke`,
      ]);
      await busy.connection?.quit();
    } finally {
      await own[Symbol.asyncDispose]();
    }
  });

  it('times are never earlier than the truth, however late the news comes', async () => {
    let realUs = 0;
    const nowUs = (): number => Math.round(performance.now() * 1000) + realUs;
    realUs = -nowUs();
    const stamped: Execution[] = [];
    const other = new NodeObserver({
      node: 'n1',
      address: { host: '127.0.0.1', port: server.port },
      keyPrefix: PREFIX,
      nowUs,
      hasSteadyClock: true,
      onExecuted: (execution) => stamped.push(execution),
      onKeyLost: () => undefined,
      onLost: () => undefined,
    });
    await other.connection.open();
    const beforeUs = nowUs();
    const sent = execute(acquire('k', 'v', 60_000));
    // The command leaves, and nobody reads what comes back for a while.
    await new Promise(setImmediate);
    const blockedUntil = performance.now() + 60;
    while (performance.now() < blockedUntil);
    const afterUs = nowUs();
    await sent;
    await other.connection.catchUp();
    other.connection.close();
    expect(stamped[0]?.timeUs).toBeGreaterThanOrEqual(beforeUs);
    expect(stamped[0]?.timeUs).toBeLessThan(afterUs);
  });

  it.each([
    { behindMs: 60, isLost: true },
    { behindMs: 2, isLost: false },
    { behindMs: -60, isLost: false },
  ])('a server that falls $behindMs ms behind the host is lost: $isLost', async ({ behindMs, isLost }) => {
    const other = new NodeObserver({
      node: 'n1',
      address: { host: '127.0.0.1', port: server.port },
      keyPrefix: PREFIX,
      nowUs: () => 0,
      hasSteadyClock: true,
      onExecuted: () => undefined,
      onKeyLost: () => undefined,
      onLost: () => undefined,
    });
    await other.connection.open();
    await other.connection.catchUp();
    const hostMs = Date.now;
    const host = vi.spyOn(Date, 'now').mockImplementation(() => hostMs() + behindMs);
    try {
      const problem = await other.connection.catchUp().then(
        () => null,
        (error: unknown) => error,
      );
      if (isLost) {
        expect(problem).toBeInstanceOf(RunLostError);
        expect(String(problem)).toContain(`the server behind 127.0.0.1:${server.port} fell behind this machine's by`);
      } else expect(problem).toBeNull();
    } finally {
      host.mockRestore();
      other.connection.close();
    }
  });
});
