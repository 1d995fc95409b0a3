import { describe, expect, it } from 'vitest';
import type { Environment } from '../../src/environment.ts';
import type { LockNode, LockReply } from '../../src/lock-node.ts';
import type { LocalInput } from './client-run.ts';
import { inMacrotask, worldWith } from './exhaustive-testing.ts';
import { Quietness } from './quietness.ts';
import { Replies } from './replies.ts';
import { ALL_REDUCTIONS, type LockMaker, REAL_PARTS, type WorldSettings } from './settings.ts';

/** What a client does that has asked every node for the lock, and given up at once, when a reply comes late; `askAgain` is what others would notice. */
type OnReply = (reply: LockReply, node: number, environment: Environment, askAgain: () => void) => void;

function lateAsker(nodes: readonly LockNode[], environment: Environment, onReply: OnReply): LockMaker {
  const ask = (settle: (reply: LockReply, node: number) => void): void => {
    const command = { key: 'r', value: '1', ttlMs: 3, timeoutMs: 1, fresh: true, tokenHint: 0, guard: null } as const;
    nodes.forEach((node, place) => node.execute({ kind: 'acquire', ...command }, (reply) => settle(reply, place)));
  };
  const askAgain = (): void => ask(() => undefined);
  return {
    acquire: () => {
      ask((reply, node) => onReply(reply, node, environment, askAgain));
      return Promise.reject(Object.assign(new Error('It gives up'), { code: 'gave-up' }));
    },
  };
}

/** Does something on the second reply if it and the first one are as `isCause` says. */
function onBoth(isCause: (first: LockReply, second: LockReply) => boolean): () => OnReply {
  return () => {
    let first: LockReply | null = null;
    return (reply, _node, _environment, askAgain) => {
      if (first !== null && isCause(first, reply)) askAgain();
      first ??= reply;
    };
  };
}

function on(isCause: (reply: LockReply, environment: Environment) => boolean): () => OnReply {
  return () => (reply, _node, environment, askAgain) => {
    if (isCause(reply, environment)) askAgain();
  };
}

function tokenOf(reply: LockReply): number {
  return reply.kind === 'granted' ? (reply.token ?? -1) : -1;
}

const ACQUIRE: LocalInput = { kind: 'acquire', tick: 0, hint: 100 };

function grant(node: number, token: number): LocalInput {
  return { kind: 'reply', node, reply: { kind: 'granted', token }, tick: 0 };
}

/** Whether such a client is quiet once it was told this after its acquire, and how many inputs it took to find out. */
function ask(
  makeOnReply: () => OnReply,
  changes: Partial<WorldSettings>,
  told: readonly LocalInput[],
): Promise<{ isQuiet: boolean; runs: number }> {
  const parts = {
    ...REAL_PARTS,
    makeRedlock: ((nodes, { environment }) =>
      lateAsker(nodes, environment, makeOnReply())) satisfies typeof REAL_PARTS.makeRedlock,
  };
  const world = worldWith({ nodes: 2, fencing: true, ...changes });
  const quietness = new Quietness(world, parts, ALL_REDUCTIONS, new Replies(), () => undefined);
  return inMacrotask(() => {
    const isQuiet = quietness.isQuiet('', () => [ACQUIRE, ...told], 0);
    return { isQuiet, runs: quietness.runs };
  });
}

async function isQuiet(
  makeOnReply: () => OnReply,
  changes: Partial<WorldSettings> = {},
  told: readonly LocalInput[] = [],
): Promise<boolean> {
  return (await ask(makeOnReply, changes, told)).isQuiet;
}

describe('a client is not quiet', () => {
  it.each<[string, () => OnReply, Partial<WorldSettings>?, (readonly LocalInput[])?]>([
    ['on a grant', on(({ kind }) => kind === 'granted')],
    ['on a refusal', on(({ kind }) => kind === 'held')],
    ['on a failure', on(({ kind }) => kind === 'failed'), { crashes: 1 }],
    ['by a reply that it reads only when the next one comes', onBoth((first) => first.kind === 'held')],
    [
      'by two replies that are not alike',
      onBoth((first, second) => tokenOf(first) > tokenOf(second) && second.kind === 'granted'),
    ],
    ['late, by a reply that it looks at the clock for', on((_, { clock }) => clock.now() === 3), { ticks: 3 }],
    [
      'by a timer that it sets on a reply',
      () =>
        (_reply, _node, { timers }, askAgain) =>
          void timers.schedule(1, askAgain),
      { ticks: 3 },
    ],
    [
      'by a token below the least that can be',
      onBoth((first, second) => second.kind === 'granted' && tokenOf(second) < tokenOf(first)),
      {},
      [grant(0, 1)],
    ],
    [
      'by a token above the largest that can be',
      onBoth((first, second) => tokenOf(second) > tokenOf(first)),
      {},
      [grant(0, 0xfffe)],
    ],
  ])('that does something %s', async (_name, makeOnReply, changes, told) => {
    expect(await isQuiet(makeOnReply, changes, told)).toBe(false);
  });

  it('that will be told what it reacts to once three replies are there, of tokens in this order', async () => {
    const make = (): OnReply => {
      const tokens: number[] = [];
      return (reply, node, _environment, askAgain) => {
        tokens[node] = tokenOf(reply);
        if (node === 2 && (tokens[0] as number) < (tokens[1] as number)) askAgain();
      };
    };
    const world = { nodes: 3 };
    expect(await isQuiet(make, world, [grant(0, 100), grant(1, 20_100)])).toBe(false);
    expect(await isQuiet(make, world, [grant(0, 20_100), grant(1, 100)])).toBe(true);
    expect(await isQuiet(make, world, [grant(0, 100), grant(1, 100)])).toBe(true);
  });
});

describe('a client is quiet', () => {
  it('that does nothing on any reply, which takes few questions if it reads none and needs no clock', async () => {
    const { isQuiet, runs } = await ask(() => () => undefined, { nodes: 5, crashes: 1, ticks: 9 }, []);
    expect(isQuiet).toBe(true);
    // How many nodes have answered is all that there is to tell apart.
    expect(runs).toBeLessThan(100);
  });

  it('that sees the clock reach what it never reaches', async () => {
    expect(
      await isQuiet(
        on((_, { clock }) => clock.now() === 4),
        { ticks: 3 },
      ),
    ).toBe(true);
  });

  it('that waits for a failure where no node fails', async () => {
    expect(await isQuiet(on(({ kind }) => kind === 'failed'))).toBe(true);
  });
});
