import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LockCommand, LockReply } from '../../src/lock-node.ts';
import {
  CASES,
  type ConformanceStep,
  type ConformanceSubject,
  sequences,
  START_MS,
  transcript,
} from '../testbed/lock-node.conformance.ts';
import { ModelNode } from '../testbed/model-node/model-node.ts';
import { NODE_RULES, type NodeContents } from './node-rules.ts';
import { Replies } from './replies.ts';

/** What the small world knows: the library sends it nothing else. */
const KINDS: readonly string[] = ['acquire', 'commit', 'extend', 'release'];

/** What the suite can do to nodes with a restart guard, which those of the small world are without. */
const UNKNOWN: Pick<ConformanceSubject, 'flush' | 'ageMarker' | 'demoteForAMoment'> = {
  flush: () => Promise.reject(new Error('nodes of the small world are not emptied')),
  ageMarker: () => Promise.reject(new Error('nodes of the small world have no marker')),
  demoteForAMoment: () => Promise.reject(new Error('nodes of the small world have no history')),
};

/** The node rules as the conformance suite wants them: keys by name, values as text, and inspection. */
function rulesSubject(): ConformanceSubject {
  const nodes = new Map<string, NodeContents>();
  const owners: string[] = [''];
  const replies = new Replies();
  let nowMs = START_MS;
  const execute = (command: LockCommand): LockReply => {
    const node = nodes.get(command.key) ?? { owner: 0, expiresTick: 0, counter: 0 };
    nodes.set(command.key, node);
    if (command.kind === 'inspect') {
      if (node.owner === 0) return { kind: 'inspected', value: null, remainingMs: null };
      return { kind: 'inspected', value: owners[node.owner] ?? null, remainingMs: node.expiresTick - nowMs };
    }
    if (!KINDS.includes(command.kind)) throw new Error(`${command.kind} is not of the small world`);
    const { value } = command as { readonly value: string };
    if (!owners.includes(value)) owners.push(value);
    const argument =
      command.kind === 'acquire' ? (command.tokenHint ?? -1) : command.kind === 'commit' ? command.token : -1;
    const kind = command.kind as 'acquire' | 'commit' | 'extend' | 'release';
    const ttlMs = 'ttlMs' in command ? command.ttlMs : 0;
    const answer = NODE_RULES(node, { kind, attempt: 1, argument }, owners.indexOf(value), nowMs, ttlMs);
    return replies.at(replies.numberOf(answer));
  };
  return {
    execute: (command) => Promise.resolve(execute(command)),
    ...UNKNOWN,
    setClock: (toMs) => {
      nowMs = toMs;
      for (const node of nodes.values()) {
        if (node.expiresTick < nowMs) {
          node.owner = 0;
          node.expiresTick = 0;
        }
      }
      return Promise.resolve();
    },
  };
}

function modelSubject(): ConformanceSubject {
  let nowMs = START_MS;
  const model = new ModelNode(
    { persistence: 'none', maxmemoryPolicy: 'noeviction', replicaHorizonUs: 0 },
    nowMs,
    () => undefined,
  );
  return {
    execute: (command) => Promise.resolve(model.execute(command, nowMs, 0, 'run')),
    ...UNKNOWN,
    setClock: (toMs) => {
      nowMs = toMs;
      model.expire(toMs);
      return Promise.resolve();
    },
  };
}

function isKnown(step: ConformanceStep): boolean {
  if ('moveClockMs' in step) return true;
  if (!('command' in step)) return false;
  const { command } = step;
  if (command.kind === 'acquire') return command.guard === null;
  return command.kind === 'inspect' || KINDS.includes(command.kind);
}

/** The sequence as nodes without a guard know it. */
function withoutGuard(steps: readonly ConformanceStep[]): ConformanceStep[] {
  return steps
    .map((step) =>
      'command' in step && step.command.kind === 'acquire' ? { command: { ...step.command, guard: null } } : step,
    )
    .filter(isKnown);
}

describe('the nodes of the small world', () => {
  // The others are about the restart guard, which the small world is without.
  it.each(CASES.filter(({ steps }) => steps.every(isKnown)))('$title', async ({ steps, answers }) => {
    expect(await transcript(rulesSubject(), steps, '')).toEqual(answers);
  });

  it('answer random sequences like the model node', async () => {
    await fc.assert(
      fc.asyncProperty(sequences, async (steps) => {
        const known = withoutGuard(steps);
        expect(await transcript(rulesSubject(), known, '')).toEqual(await transcript(modelSubject(), known, ''));
      }),
      { numRuns: 1000, seed: 20_260_101 },
    );
  });
});
