import { describe, expect, it } from 'vitest';
import { type Fault, fault as faultSchema } from '../../scenario/fault-schema.ts';
import { type FaultInput, type ScenarioInput, storyOf } from './simulated-testing.ts';

type FaultKind = Fault['fault'];

const LINK = { clients: 'A', nodes: 'n1' } as const;

/** One of each kind. */
const FAULTS: { readonly [Kind in FaultKind]: FaultInput & { fault: Kind } } = {
  partition: { fault: 'partition', ...LINK },
  'partition-shape': { fault: 'partition-shape', shape: 'bridge' },
  loss: { fault: 'loss', ...LINK, direction: 'reply' },
  latency: { fault: 'latency', ...LINK, delay: '5ms' },
  bandwidth: { fault: 'bandwidth', ...LINK, bytesPerSecond: 1000 },
  reset: { fault: 'reset', ...LINK },
  'slow-close': { fault: 'slow-close', ...LINK, delay: '5ms' },
  'limit-data': { fault: 'limit-data', ...LINK, bytes: 500 },
  slicer: { fault: 'slicer', ...LINK, bytes: 10, delay: '1ms' },
  'clock-jump': { fault: 'clock-jump', nodes: 'n1', by: '1s' },
  'clock-drift': { fault: 'clock-drift', nodes: 'n1', rate: 1.1 },
  'clock-strobe': { fault: 'clock-strobe', nodes: 'n1', by: '1s', every: '10ms' },
  'client-clock-jump': { fault: 'client-clock-jump', clients: 'A', by: '1s' },
  'client-clock-drift': { fault: 'client-clock-drift', clients: 'A', rate: 1.1 },
  'client-pause': { fault: 'client-pause', clients: 'A' },
  'server-pause': { fault: 'server-pause', nodes: 'n1' },
  crash: { fault: 'crash', nodes: 'n1' },
  eviction: { fault: 'eviction', nodes: 'n1' },
  flush: { fault: 'flush', nodes: 'n1' },
  promotion: { fault: 'promotion', nodes: 'n1' },
};
const INSTANT: readonly FaultKind[] = ['reset', 'clock-jump', 'client-clock-jump', 'flush', 'promotion'];
const KINDS = Object.keys(FAULTS) as FaultKind[];
const LASTING = KINDS.filter((kind) => !INSTANT.includes(kind));

it('there is a test for every fault of the schema', () => {
  expect(KINDS).toEqual(faultSchema.options.map(({ shape }) => shape.fault.value));
});

describe.each(INSTANT)('%s', (kind) => {
  it('begins and ends in one instant', async () => {
    const story = await storyOf({ nodes: { replica: true }, faults: [{ ...FAULTS[kind], at: '100ms' }] });
    expect(story.one('fault-started')).toMatchObject({ kind, timeUs: 100_000, fault: 1 });
    expect(story.one('fault-ended')).toMatchObject({ timeUs: 100_000, fault: 1 });
  });
});

describe.each(LASTING)('%s', (kind) => {
  it('lasts as long as it is told, or else until the workload is over', async () => {
    const faults = [
      { ...FAULTS[kind], at: '100ms', for: '50ms' },
      { ...FAULTS[kind], at: '200ms' },
    ] as FaultInput[];
    const story = await storyOf({ faults });
    const ends = story.all('fault-ended');
    expect(story.all('fault-started').map(({ kind, timeUs }) => [kind, timeUs])).toEqual([
      [kind, 100_000],
      [kind, 200_000],
    ]);
    const { timeUs: healedUs } = story.one('healed');
    expect(ends.map(({ fault, timeUs }) => [fault, timeUs])).toEqual([
      [1, 150_000],
      [2, healedUs],
    ]);
    // Whatever it was, it is over: every client gets its lock.
    expect(story.all('acquire-granted', { phase: 'probe' })).toHaveLength(2);
  });
});

const HOLDING: ScenarioInput['workload'] = [
  { clients: 'A', steps: [{ acquire: { resource: 'a', ttl: '10s' } }, { work: '900ms' }] },
  { clients: 'B', at: '200ms', steps: [{ acquire: { resource: 'b', ttl: '10s' } }, { work: '700ms' }] },
];

describe('targets by what they are when the fault begins', () => {
  async function targetsOf(fault: FaultInput, changes: Partial<ScenarioInput> = {}): Promise<readonly string[]> {
    const settings = { nodes: 5, ttl: '1s' } as const;
    const story = await storyOf({ settings, workload: HOLDING, faults: [fault], ...changes });
    return story.one('fault-started').targets;
  }

  it.each([
    ['100ms', ['A']],
    ['300ms', ['B']],
  ])('holder at %s', async (at, targets) => {
    expect(await targetsOf({ fault: 'client-pause', clients: 'holder', at, for: '50ms' })).toEqual(targets);
  });

  it.each([
    ['all', ['n1', 'n2', 'n3', 'n4', 'n5']],
    ['minority', ['n4', 'n5']],
    ['majority', ['n1', 'n2', 'n3']],
    ['n2', ['n2']],
    [
      ['n4', 'n1'],
      ['n4', 'n1'],
    ],
  ])('nodes: %s', async (nodes, targets) => {
    expect(await targetsOf({ fault: 'flush', nodes, at: '100ms' })).toEqual(targets);
  });

  it('all clients and all nodes of a link are meant where none are named', async () => {
    expect(await targetsOf({ fault: 'reset', at: '100ms' })).toEqual(['A', 'B', 'n1', 'n2', 'n3', 'n4', 'n5']);
    expect(await targetsOf({ fault: 'reset', at: '100ms', nodes: 'resource' })).toEqual(['A', 'B', 'resource']);
  });

  it('held and heldBy mean the nodes that hold the key now', async () => {
    // Requests to n1 are lost at first, so that the newest lease is on the others only.
    const lossy: FaultInput = { fault: 'partition', nodes: 'n1', for: '100ms' };
    const of = async (nodes: Extract<FaultInput, { fault: 'flush' }>['nodes']): Promise<unknown> => {
      const story = await storyOf({
        settings: { nodes: 5, ttl: '1s' },
        workload: HOLDING,
        faults: [lossy, { fault: 'flush', nodes: 'n2', at: '110ms' }, { fault: 'flush', nodes, at: '300ms' }],
      });
      const { targets } = story.one('fault-started', { timeUs: 300_000 });
      const lost = story.all('key-lost', { timeUs: 300_000 }).map(({ node, key }) => `${node} ${key}`);
      return { targets, lost };
    };
    expect(await of('held')).toEqual({
      targets: ['n1', 'n2', 'n3', 'n4', 'n5'],
      lost: ['n1 lock:b', 'n2 lock:b', 'n3 lock:a', 'n3 lock:b', 'n4 lock:a', 'n4 lock:b', 'n5 lock:a', 'n5 lock:b'],
    });
    expect(await of({ heldBy: 'A' })).toMatchObject({ targets: ['n3', 'n4', 'n5'] });
    expect(await of({ heldBy: 'A', count: 2 })).toMatchObject({ targets: ['n3', 'n4'] });
  });

  it.each<FaultInput>([
    { fault: 'client-pause', clients: 'holder', for: '50ms' },
    { fault: 'crash', nodes: 'held', for: '50ms' },
    { fault: 'flush', nodes: { heldBy: 'B' } },
    { fault: 'reset', clients: 'holder', nodes: 'n1' },
  ])('a fault that finds nobody is missed: %j', async (fault) => {
    const story = await storyOf({ workload: HOLDING, faults: [{ ...fault, at: '0ms' }] });
    expect(story.one('fault-missed')).toMatchObject({ kind: fault.fault, timeUs: 0, nodes: [] });
    for (const type of ['fault-started', 'fault-ended', 'client-paused', 'node-crashed'] as const) {
      expect(story.all(type)).toEqual([]);
    }
  });
});
