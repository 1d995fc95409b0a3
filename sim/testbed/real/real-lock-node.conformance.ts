import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LockCommand, LockNode, LockReply } from '../../../src/lock-node.ts';
import { nodesFrom } from '../../../src/nodes.ts';
import { systemEnvironment } from '../../../src/system-environment.ts';
import {
  CASES,
  type ConformanceSubject,
  FORMER_RUN,
  sequences,
  START_MS,
  transcript,
} from '../lock-node.conformance.ts';
import { ModelNode } from '../model-node/model-node.ts';
import type { Address } from './address.ts';

/** How the commands of a sequence are sent. */
export const WAYS = ['alone', 'together'] as const;

/** A real server that keeps nothing, whose wall clock stands at START_MS until it is moved, and which drops keys that are over only when it is asked for them. */
export interface FrozenServer {
  /** Where the node under test finds it. */
  readonly address: Address;
  /** Moves its clock; the next command sees it. */
  setClock(nowMs: number): void;
  stop(): Promise<void>;
}

export function modelSubject(): ConformanceSubject {
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

function nodeSubject(node: LockNode, server: FrozenServer, direct: Redis): ConformanceSubject {
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

/** The library's node with a real server behind it: it must answer as every node must, and in so many random sequences as the model does. */
export function describeRealServer(title: string, start: () => Promise<FrozenServer>, randomSequences: number): void {
  describe(title, () => {
    let server: FrozenServer;
    let node: LockNode;
    let direct: Redis;
    let runs = 0;

    beforeAll(async () => {
      server = await start();
      [node] = nodesFrom([{ ...server.address }], systemEnvironment, true) as [LockNode];
      direct = new Redis({ ...server.address });
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
        `answers ${randomSequences} random sequences as the model does to each command alone`,
        { timeout: 300_000 },
        async () => {
          await fc.assert(
            fc.asyncProperty(sequences, async (steps) => {
              const real = await transcript(nodeSubject(node, server, direct), steps, freshPrefix(), way);
              expect(real).toEqual(await transcript(modelSubject(), steps, ''));
            }),
            { numRuns: randomSequences, seed: 20_260_101 },
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
  });
}
