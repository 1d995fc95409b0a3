import { describe, expect, it } from 'vitest';
import type { FaultInput, ScenarioInput, Story } from './simulated/simulated-testing.ts';

const AFTER_MISS = (nth: number): { after: { event: 'fault-missed'; nth: number } } => ({
  after: { event: 'fault-missed', nth },
});

/** n1 is dead, and nobody has a lock until the last fault is through. */
const FAULTS: readonly FaultInput[] = [
  { fault: 'crash', nodes: 'n1' },
  { fault: 'server-pause', nodes: 'n1', for: '10ms', after: { event: 'fault-started', kind: 'crash' } },
  { fault: 'flush', nodes: 'n1', ...AFTER_MISS(1) },
  { fault: 'eviction', nodes: 'n1', for: '10ms', ...AFTER_MISS(2) },
  { fault: 'promotion', nodes: 'n1', ...AFTER_MISS(3) },
  { fault: 'reset', nodes: 'n1', ...AFTER_MISS(4) },
  { fault: 'client-pause', clients: 'holder', for: '10ms', ...AFTER_MISS(5) },
  { fault: 'flush', nodes: 'held', ...AFTER_MISS(6) },
  { fault: 'flush', nodes: ['n1', 'n2'], ...AFTER_MISS(7) },
  { fault: 'crash', nodes: 'n1', how: 'power-loss', for: '10ms', ...AFTER_MISS(7) },
  { fault: 'crash', nodes: ['n1', 'n3'], for: '10ms', ...AFTER_MISS(8) },
  { fault: 'latency', nodes: 'n1', delay: '5ms', after: { event: 'node-restarted', node: 'n3' } },
];

const CHANGES: Partial<ScenarioInput> = {
  // Two nodes have to answer, on however busy a machine.
  settings: { nodes: 3, ttl: '3s', nodeTimeout: '1s' },
  clients: { A: null },
  nodes: { replica: true, persistence: 'aof-everysec' },
  workload: [
    {
      after: { event: 'fault-started', kind: 'latency' },
      // A connection to a server that was just started again may take a while.
      steps: [{ acquire: { resource: 'stock', retryCount: -1, retryDelay: '20ms' } }, 'release'],
    },
  ],
  faults: [...FAULTS],
  limit: '8s',
};

/** Faults that find nothing to act on, in a world that runs scenarios. */
export function describeMissedFaults(world: string, run: (changes: Partial<ScenarioInput>) => Promise<Story>): void {
  describe(`faults that find nothing to act on, ${world}`, () => {
    it('are missed, and neither begin nor end; of several nodes, those are struck that run', async () => {
      const story = await run(CHANGES);
      expect(story.all('fault-missed').map(({ fault, kind, nodes }) => [fault, kind, ...nodes])).toEqual([
        [2, 'server-pause', 'n1'],
        [3, 'flush', 'n1'],
        [4, 'eviction', 'n1'],
        [5, 'promotion', 'n1'],
        [6, 'reset', 'n1'],
        [7, 'client-pause'],
        [8, 'flush'],
        [10, 'crash', 'n1'],
      ]);
      const started = story.all('fault-started').map(({ kind, targets }) => [kind, ...targets].join(' '));
      expect(started.sort()).toEqual(['crash n1', 'crash n3', 'flush n2', 'latency A n1']);
      expect(story.one('fault-started', { kind: 'flush' }).description).toBe('n2 is flushed');
      expect(
        story
          .all('fault-ended')
          .map(({ fault }) => fault)
          .sort(),
      ).toEqual([1, 11, 12, 9]);
      expect(story.all('node-paused')).toEqual([]);
      expect(story.all('node-crashed').map(({ node }) => node)).toEqual(['n1', 'n3']);
      // It is the first crash that n1 comes back from.
      expect(story.all('node-restarted').map(({ node }) => node)).toEqual(['n3', 'n1']);
      expect(story.all('client-paused')).toEqual([]);
      expect(story.one('acquire-granted', { phase: 'workload' }).client).toBe('A');
    });
  });
}
