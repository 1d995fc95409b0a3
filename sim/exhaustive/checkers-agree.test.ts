import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHECKERS } from '../checkers/check-history.ts';
import { inMacrotask, worldWith } from './exhaustive-testing.ts';
import { NODE_RULES } from './node-rules.ts';
import { BITS, CHECKED_PROPERTIES, type CheckedProperty } from './search.ts';
import { type Parts, REAL_PARTS, type WorldSettings } from './settings.ts';
import { CODE, kindOf } from './steps.ts';
import { plainModel, type Trail } from './trail.ts';
import { historyOf } from './trail-history.ts';

/** Nodes that let anybody take, extend and release anybody's key, every now and then. */
const CARELESS: Parts = {
  ...REAL_PARTS,
  nodesCompare: false,
  nodeRules: (node, command, owner, nowTick, ttlTicks) => {
    const isCareless = node.owner !== 0 && command.kind !== 'commit' && (nowTick + owner) % 2 === 0;
    return NODE_RULES(node, command, isCareless ? node.owner : owner, nowTick, ttlTicks);
  },
};

/** Nodes whose fencing counters do not rise. */
const FORGETFUL: Parts = {
  ...REAL_PARTS,
  nodeRules: (node, ...rest) => {
    const answer = NODE_RULES(node, ...rest);
    node.counter = 0;
    return answer;
  },
};

const WORLDS: readonly (readonly [string, Partial<WorldSettings>, Parts])[] = [
  [
    'all faults',
    { clients: 3, cycles: 2, extensions: 1, ticks: 6, pauses: 2, crashes: 2, restart: 'amnesiac' },
    REAL_PARTS,
  ],
  [
    'fencing, and clocks that jump far',
    { fencing: true, cycles: 2, ticks: 6, clockJumps: 3, jumpTicks: 4, evictions: 3, crashes: 1, restart: 'amnesiac' },
    REAL_PARTS,
  ],
  ['counters that stand still', { nodes: 1, fencing: true, cycles: 2 }, FORGETFUL],
  ['careless nodes', { nodes: 2, cycles: 2, extensions: 1, ticks: 5 }, CARELESS],
];

/** Walks at random: each number chooses among what is possible. Time passes and faults happen less often than the rest. */
function walk(model: ReturnType<typeof plainModel>, choices: readonly number[]): Trail {
  const rows = [model.initial()];
  const steps: number[] = [];
  const violated: number[] = [];
  for (const choice of choices) {
    const row = (rows.at(-1) as Trail['rows'][number]).slice();
    const enabled = model.enabled(row);
    const usual = enabled.filter((step) => kindOf(step) < CODE.tick);
    const among = choice % 5 > 0 && usual.length > 0 ? usual : enabled;
    const step = among[choice % among.length];
    if (step === undefined) break;
    violated.push(model.apply(row, step));
    steps.push(step);
    rows.push(row);
  }
  return { steps, rows, violated };
}

describe('what the search checks in every state', () => {
  it('is what the checkers find in the history of the same steps', { timeout: 120_000 }, async () => {
    const seen = new Set<string>();
    await inMacrotask(() => {
      for (const [name, changes, parts] of WORLDS) {
        fc.assert(
          fc.property(fc.array(fc.nat(1_000_000), { minLength: 60, maxLength: 90 }), (choices) => {
            const model = plainModel(worldWith(changes), parts);
            const trail = walk(model, choices);
            const history = historyOf(model, trail);
            for (const property of CHECKED_PROPERTIES) {
              const isViolated = trail.violated.some((bits) => (bits & BITS[property]) !== 0);
              const verdict = CHECKERS[property](history);
              if (verdict.status === 'unknown' && !isViolated) continue;
              expect({ name, property, status: verdict.status }).toEqual({
                name,
                property,
                status: isViolated ? 'violated' : 'ok',
              });
              seen.add(`${property} ${verdict.status}`);
            }
          }),
          { numRuns: 200, seed: 20_260_101 },
        );
      }
    });
    const statuses = (property: CheckedProperty): string[] => [`${property} ok`, `${property} violated`];
    expect([...seen].sort()).toEqual(CHECKED_PROPERTIES.flatMap(statuses).sort());
  });
});
