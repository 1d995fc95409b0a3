import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LockCommand, LockNode, LockReply } from '../../src/lock-node.ts';
import { nodesFrom } from '../../src/nodes.ts';
import { systemEnvironment } from '../../src/system-environment.ts';
import { FrozenRedis, isValkey, redisServers, SERVERS_VARIABLE, versionOf } from '../../test/frozen-redis.ts';
import { libfaketime } from './processes/faketime.ts';
import {
  CASES,
  type ConformanceSubject,
  FORMER_RUN,
  sequences,
  START_MS,
  transcript,
} from './lock-node.conformance.ts';
import { ModelNode } from './model-node/model-node.ts';

const RANDOM_SEQUENCES = 3000;
function modelSubject(): ConformanceSubject {
  let nowMs = START_MS;
  let histories = 1;
  const run = (): string => `this run, history ${histories}`;
  const model = new ModelNode(
    { persistence: 'none', maxmemoryPolicy: 'noeviction', replicaHorizonUs: 0 },
    nowMs,
    () => undefined,
  );
  return {
    execute: (command) => Promise.resolve(model.execute(command, nowMs, 0, run())),
    executeTogether: (commands) => {
      const replies: LockReply[] = [];
      model.together(() => {
        for (const command of commands) replies.push(model.execute(command, nowMs, 0, run()));
      });
      return Promise.resolve(replies);
    },
    flush: () => {
      model.flush(nowMs, 0);
      return Promise.resolve();
    },
    ageMarker: (key) => {
      model.execute({ kind: 'admit', key, quarantineKey: '', timeoutMs: 0 }, nowMs, 0, FORMER_RUN);
      return Promise.resolve();
    },
    demoteForAMoment: () => {
      histories += 1;
      return Promise.resolve();
    },
    setClock: (toMs) => {
      nowMs = toMs;
      model.expire(toMs);
      return Promise.resolve();
    },
  };
}

function nodeSubject(node: LockNode, server: FrozenRedis, direct: Redis): ConformanceSubject {
  const execute = (command: LockCommand): Promise<LockReply> =>
    new Promise((resolve) => {
      node.execute(command, resolve);
    });
  return {
    execute,
    executeTogether: (commands) => Promise.all(commands.map(execute)),
    flush: async () => {
      await direct.flushall();
    },
    ageMarker: async (markerKey) => {
      await direct.set(markerKey, FORMER_RUN);
    },
    demoteForAMoment: async () => {
      // Nobody is there, and it does not look before it is asked to be a primary again.
      await direct.replicaof('127.0.0.1', 1);
      await direct.replicaof('NO', 'ONE');
    },
    setClock: async (nowMs, keys) => {
      server.setClock(nowMs);
      for (const key of keys) await execute({ kind: 'inspect', key, timeoutMs: 10_000 });
    },
  };
}

const WAYS = ['alone', 'together'] as const;

describe.each(WAYS)('the model node, commands %s', (way) => {
  it.each(CASES)('$title', async ({ steps, answers }) => {
    expect(await transcript(modelSubject(), steps, '', way)).toEqual(answers);
  });
});

const servers = libfaketime() === null ? [] : redisServers();

if (servers.length === 0) {
  describe.skip(`the model node against real servers (needs redis-server, libfaketime and libtcmalloc-minimal4: apt-get install redis-server libfaketime libtcmalloc-minimal4; or name servers in ${SERVERS_VARIABLE})`, () => {
    it('answers like a real server', () => undefined);
  });
}

const valkeys = servers.filter(isValkey);

if (valkeys.length > 0) {
  describe.skip(`the model node against Valkey (which counts the processor's cycles between two looks at the clock, so that it cannot be made to stand still: ${valkeys.join(', ')})`, () => {
    it('answers like a real server', () => undefined);
  });
}

describe.each(servers.filter((path) => !isValkey(path)).map((path) => ({ path, version: versionOf(path) })))(
  'redis-server $version at $path',
  ({ path }) => {
    let server: FrozenRedis;
    let node: LockNode;
    let direct: Redis;
    let runs = 0;

    beforeAll(async () => {
      server = await FrozenRedis.start(path, START_MS);
      [node] = nodesFrom([{ host: '127.0.0.1', port: server.port }], systemEnvironment, true) as [LockNode];
      direct = new Redis(server.port, '127.0.0.1');
    });

    afterAll(async () => {
      direct.disconnect();
      await node.connection?.quit();
      await server.stop();
    });

    function freshPrefix(): string {
      runs += 1;
      return `run-${runs}-`;
    }

    describe.each(WAYS)('commands %s', (way) => {
      it.each(CASES)('$title', async ({ steps, answers }) => {
        expect(await transcript(nodeSubject(node, server, direct), steps, freshPrefix(), way)).toEqual(answers);
      });

      it(
        `answers ${RANDOM_SEQUENCES} random sequences as the model does to each command alone`,
        { timeout: 300_000 },
        async () => {
          await fc.assert(
            fc.asyncProperty(sequences, async (steps) => {
              const real = await transcript(nodeSubject(node, server, direct), steps, freshPrefix(), way);
              expect(real).toEqual(await transcript(modelSubject(), steps, ''));
            }),
            { numRuns: RANDOM_SEQUENCES, seed: 20_260_101 },
          );
        },
      );
    });

    it('sends the commands of a tick together, unless there is but one', async () => {
      await direct.config('RESETSTAT');
      // A server that has nothing to do gets the first ones at once where there are many.
      const commands = CASES.flatMap(({ steps }) =>
        steps.flatMap((step) => ('command' in step ? [step.command] : [])),
      ).slice(0, 10);
      const replies = await nodeSubject(node, server, direct).executeTogether?.(commands);
      expect(replies).toHaveLength(commands.length);
      const calls = [...(await direct.info('commandstats')).matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)];
      expect(commands).toHaveLength(10);
      expect(calls.map(([, count]) => count)).toEqual(['1']);
    });
  },
);
