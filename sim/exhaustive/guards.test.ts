import { describe, expect, it } from 'vitest';
import { NO_REDUCTIONS, searchAll, TRACED, worldWith } from './exhaustive-testing.ts';
import { hears, probe, type ProbePlan } from './probe-testing.ts';
import { NODE_RULES } from './node-rules.ts';
import type { Parts, Reductions, WorldSettings } from './settings.ts';

/** What reductions lose where they do not look, each in the smallest world that shows it: a story of grants that only happens if they do. */
interface Trap {
  readonly world: Partial<WorldSettings>;
  readonly plan: ProbePlan;
  readonly parts?: Partial<Parts>;
  /** What happens in some way to the end of the world. */
  readonly story: RegExp;
}

const VARIANTS: Readonly<Record<string, Reductions>> = {
  'all reductions': TRACED,
  'merging and symmetry': { ...TRACED, partialOrder: false },
  'merging and partial orders': { ...TRACED, symmetry: false },
  'merging alone': { ...TRACED, symmetry: false, partialOrder: false },
  'partial orders alone': { ...NO_REDUCTIONS, partialOrder: true },
};

/** Sends these, and is granted at once; an extension tells what was answered. */
function sends(...kinds: readonly ('acquire' | 'extend' | 'release')[]): ProbePlan {
  return (session) => ({ onAcquire: () => session.sendAll(...kinds), onExtend: () => session.wait() });
}

/**
 * Is granted the key, or else gives up, asks something more, and takes an answer of this kind for a reason to take the key after all, or to give it back. An
 * extension gives the key back and takes it again, which fails only if somebody has taken it in between.
 */
function givesUp(
  asked: readonly ('acquire' | 'extend' | 'release')[],
  answer: string | null,
  then: 'acquire' | 'release',
): ProbePlan {
  return (session) => {
    let isHolder = false;
    let hasGivenUp = false;
    let isDone = false;
    return {
      onAcquire: () => {
        session.sendAll('acquire');
        session.wait();
      },
      onReply: (node, kind) => {
        if (hasGivenUp) {
          if (kind !== answer || isDone) return;
          isDone = true;
          session.send(then, node);
        } else if (kind === 'granted') isHolder = true;
        else if (kind === 'held' && !isHolder) {
          hasGivenUp = true;
          session.giveUp();
          session.sendAll(...asked);
        }
      },
      onExtend: () => {
        session.sendAll('release', 'acquire');
        session.wait();
      },
    };
  };
}

/** The first extension fails if another one has taken the key, and the second one succeeds only if that was given back. */
const IS_GIVEN_BACK = new RegExp(`; extended at 0 ${hears('granted', 'released', 'held', 'absent', 'granted')}$`);

const HAS_COME_BACK = hears('granted', 'released', 'held');

const TRAPS: Readonly<Record<string, Trap>> = {
  // A step that finds nothing is tried alone, unless:
  'a node may crash before it finds nothing': {
    world: { crashes: 1, extensions: 1 },
    plan: sends('release'),
    story: new RegExp(`^granted at 0 for 9, faults left 1 0 0; extended at 0 ${hears('failed')}$`),
  },
  'a node that is down may restart, and find nothing then': {
    world: { crashes: 1, extensions: 1 },
    plan: sends('release', 'release'),
    story: new RegExp(`^granted at 0 for 9, faults left 1 0 0; extended at 0 ${hears('failed', 'absent')}$`),
  },
  'a value that is there, and an acquire of one that is not, are something': {
    world: { clients: 2, extensions: 1 },
    plan: sends('acquire', 'release', 'acquire'),
    story: new RegExp(`${hears('granted', 'released', 'held')}(;|$)`),
  },
  'nodes that do not compare values may find anything': {
    world: { clients: 2, extensions: 1 },
    plan: sends('acquire', 'release'),
    parts: {
      nodesCompare: false,
      nodeRules: (node, command, owner, ...times) =>
        NODE_RULES(node, command, command.kind === 'release' && node.owner !== 0 ? node.owner : owner, ...times),
    },
    story: new RegExp(`${hears('granted', 'released')}; extended at 0 ${hears('held', 'absent')}$`),
  },
  // A step on a node that nobody else touches is tried alone, unless:
  'a key that is set later lives longer': {
    world: { extensions: 2, ticks: 4 },
    plan: (session) => ({
      onAcquire: () => session.sendAll('acquire'),
      onExtend: (count) => {
        if (count === 1) return;
        session.sendAll('extend');
        session.wait();
      },
    }),
    story: new RegExp(`; extended at 4 for \\d+; extended at 4 ${hears('granted', 'extended')}$`),
  },
  'the node may crash': {
    world: { crashes: 1, extensions: 1 },
    plan: sends('acquire'),
    story: new RegExp(`^granted at 0 for 9, faults left 1 0 0; extended at 0 ${hears('failed')}$`),
  },
  'the clock of the node may jump': {
    world: { clockJumps: 1, jumpTicks: 4, extensions: 1 },
    plan: sends('acquire', 'extend'),
    story: new RegExp(`; extended at 0 ${hears('granted', 'absent')}$`),
  },
  'the key may vanish': {
    world: { evictions: 1, extensions: 1 },
    plan: sends('acquire', 'extend'),
    story: new RegExp(`; extended at 0 ${hears('granted', 'absent')}$`),
  },
  'the node is down, and may restart': {
    world: { crashes: 1, extensions: 1 },
    plan: sends('acquire', 'acquire'),
    story: new RegExp(`; extended at 0 ${hears('failed', 'granted')}$`),
  },
  'the key may expire': {
    world: { ticks: 3, extensions: 1 },
    plan: sends('acquire', 'extend'),
    story: new RegExp(`; extended at 3 ${hears('granted', 'absent')}$`),
  },
  'the node has yet to run something of a client that is done': {
    world: { clients: 2, extensions: 1 },
    plan: givesUp(['acquire'], null, 'acquire'),
    story: new RegExp(`^granted at 0 for 91; gave-up at 0; extended at 0 ${HAS_COME_BACK}$`),
  },
  // A client that does nothing whatever it is told is done. It may be told:
  'that a node is down which it asks to extend': {
    world: { clients: 2, crashes: 1, extensions: 1 },
    plan: givesUp(['extend'], 'failed', 'acquire'),
    story: new RegExp(`gave-up at 0, faults left 1 0 0; extended at 0 ${HAS_COME_BACK}$`),
  },
  'that a node is down which it asks to release': {
    world: { clients: 2, crashes: 1, extensions: 1 },
    plan: givesUp(['release'], 'failed', 'acquire'),
    story: new RegExp(`gave-up at 0, faults left 1 0 0; extended at 0 ${HAS_COME_BACK}$`),
  },
  'that its key is not there, which it asks to extend': {
    world: { clients: 2, extensions: 1 },
    plan: givesUp(['extend'], 'absent', 'acquire'),
    story: new RegExp(`gave-up at 0; extended at 0 ${HAS_COME_BACK}$`),
  },
  'that its key is not there, which it asks to release': {
    world: { clients: 2, extensions: 1 },
    plan: givesUp(['release'], 'absent', 'acquire'),
    story: new RegExp(`gave-up at 0; extended at 0 ${HAS_COME_BACK}$`),
  },
  'that another one holds the key, which it asks for': {
    world: { clients: 2, extensions: 2 },
    plan: givesUp(['acquire', 'acquire'], 'held', 'release'),
    story: IS_GIVEN_BACK,
  },
  // What it does may be a release that finds nothing, for one of the same value came before, unless:
  'there was none before': {
    world: { clients: 2, extensions: 2 },
    plan: givesUp(['acquire'], 'granted', 'release'),
    story: IS_GIVEN_BACK,
  },
  'the value was stored again in between': {
    world: { clients: 2, extensions: 2 },
    plan: givesUp(['release', 'acquire'], 'granted', 'release'),
    story: IS_GIVEN_BACK,
  },
  // The order in which a client was told and has sent something is forgotten, unless:
  'it did something in between': {
    world: { ticks: 1, extensions: 1 },
    plan: (session) => {
      let isLate = false;
      return {
        onAcquire: () => {
          session.sendAll('acquire');
          session.later(() => (isLate = true));
        },
        onReply: () => {
          if (isLate) session.note(7);
        },
        onExtend: () => session.wait(),
      };
    },
    story: /; extended at 1 for 917$/,
  },
  'it remembers what made it send something': {
    world: { nodes: 2, crashes: 1, extensions: 2 },
    plan: (session) => {
      let answers = 0;
      let lastNode = 0;
      let lastKind = 'none';
      return {
        onAcquire: () => session.sendAll('acquire'),
        onReply: (node, kind) => {
          answers += 1;
          if (answers !== session.nodeCount) return;
          [lastNode, lastKind] = [node, kind];
          session.send('extend', node);
        },
        onExtend: (count) => {
          if (answers < session.nodeCount) return;
          if (count === 1) session.send('extend', 1 - lastNode);
          else session.note(lastKind === 'failed' ? 8 : 7);
        },
      };
    },
    story: /; extended at 0 for 9168$/,
  },
};

describe('a reduction loses nothing', () => {
  it.each(Object.entries(TRAPS))(
    'although %s',
    { timeout: 120_000 },
    async (_name, { world: changes, plan, parts: changed, story }) => {
      const world = worldWith({ nodes: 1, clients: 1, ...changes });
      const parts = { ...probe(plan), ...changed };
      const plain = await searchAll(world, NO_REDUCTIONS, parts);
      expect(plain.endings.filter((ending) => story.test(ending))).not.toEqual([]);
      for (const [variant, reductions] of Object.entries(VARIANTS)) {
        const { violated, endings } = await searchAll(world, reductions, parts);
        expect({ variant, violated, endings }).toEqual({ variant, violated: plain.violated, endings: plain.endings });
      }
    },
  );
});
