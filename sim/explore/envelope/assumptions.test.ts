import { describe, expect, it } from 'vitest';
import { type FaultInput, scenarioOf, type ScenarioInput } from '../../testbed/simulated/simulated-testing.ts';
import { isWithin, leavesInTime, longestLifeMs, overstepped } from './assumptions.ts';

const ACQUIRE = { acquire: { resource: 'r' } };
type Steps = NonNullable<ScenarioInput['workload']>[number]['steps'];

function withFaults(faults: FaultInput[], changes: Partial<ScenarioInput> = {}): string[] {
  return [...overstepped(scenarioOf({ faults, ...changes }))];
}

function inTime(steps: Steps, settings: ScenarioInput['settings'] = {}): boolean {
  return leavesInTime(scenarioOf({ settings: { ttl: '1s', ...settings }, workload: [{ steps }] }));
}

describe('overstepped', () => {
  const DURABLE: Partial<ScenarioInput> = { nodes: { persistence: 'aof-always' } };
  const REPLICAS: Partial<ScenarioInput> = { nodes: { replica: true } };
  const GUARDED: Partial<ScenarioInput> = { settings: { ttl: '1s', restartGuard: '1s' } };
  const FORGETTING: FaultInput[] = [
    { fault: 'crash', nodes: 'n1', for: 1 },
    { fault: 'flush', nodes: 'n2' },
    { fault: 'promotion', nodes: 'n3', lag: 1 },
  ];
  const WALL: Partial<ScenarioInput> = { clients: { A: { clock: 'wall' }, B: null } };
  const SLOW: Partial<ScenarioInput> = { clients: { A: { rate: 0.99 } } };

  it.each<[string, FaultInput[], Partial<ScenarioInput>, string[]]>([
    ['nothing', [], {}, []],
    ['a node as fast as the drift factor allows', [{ fault: 'clock-drift', nodes: 'all', rate: 1.0101 }], {}, []],
    ['a node that is faster', [{ fault: 'clock-drift', nodes: 'all', rate: 1.0102 }], {}, ['clock-rate']],
    ['a client as slow as it allows', [], SLOW, []],
    ['both of them', [{ fault: 'clock-drift', nodes: 'all', rate: 1.0101 }], SLOW, ['clock-rate']],
    ['a slow node', [{ fault: 'clock-drift', nodes: 'all', rate: 0.5 }], {}, []],
    ['a step of a millisecond', [{ fault: 'clock-jump', nodes: 'n1', by: 1 }], {}, []],
    [
      'two of them',
      [
        { fault: 'clock-jump', nodes: 'n1', by: 1 },
        { fault: 'clock-jump', nodes: 'n1', by: 1 },
      ],
      {},
      ['clock-jump'],
    ],
    ['a step back within the drift', [{ fault: 'clock-jump', nodes: 'n1', by: -10 }], {}, []],
    ['a longer one', [{ fault: 'clock-jump', nodes: 'n1', by: -11 }], {}, ['clock-jump']],
    ['a strobe', [{ fault: 'clock-strobe', nodes: 'n1', by: -2, every: 5 }], {}, ['clock-jump']],
    ['a wall clock of a client', [{ fault: 'client-clock-jump', clients: 'A', by: '1h' }], {}, []],
    [
      'a wall clock by which a client tells the time, set back',
      [{ fault: 'client-clock-jump', clients: 'A', by: -2 }],
      WALL,
      ['clock-jump'],
    ],
    [
      'a wall clock of whoever holds the lock',
      [{ fault: 'client-clock-jump', clients: 'holder', by: -2 }],
      WALL,
      ['clock-jump'],
    ],
    ['its step of a millisecond', [{ fault: 'client-clock-jump', clients: ['A', 'B'], by: -1 }], WALL, []],
    ['a step forward within the drift', [{ fault: 'client-clock-jump', clients: 'all', by: 10 }], WALL, []],
    ['a longer one forward', [{ fault: 'client-clock-jump', clients: 'all', by: 11 }], WALL, ['clock-jump']],
    ['the wall clock of another client', [{ fault: 'client-clock-jump', clients: 'B', by: '-1h' }], WALL, []],
    ['a pause of a tenth', [{ fault: 'client-pause', clients: 'A', for: 100 }], {}, []],
    [
      'two of them',
      [
        { fault: 'client-pause', clients: 'A', for: 100 },
        { fault: 'client-pause', clients: 'B', for: 1 },
      ],
      {},
      ['client-pause'],
    ],
    ['a pause without an end', [{ fault: 'client-pause', clients: 'A' }], {}, ['client-pause']],
    ['slow messages to nodes', [{ fault: 'latency', delay: '1h' }], {}, []],
    ['slow writes', [{ fault: 'latency', nodes: 'resource', delay: 51 }], {}, ['message-delay']],
    ['a little slow ones', [{ fault: 'latency', nodes: 'resource', delay: 50 }], {}, []],
    ['lost writes', [{ fault: 'partition', nodes: 'resource' }], {}, ['message-delay']],
    ['a server that stops', [{ fault: 'server-pause', nodes: 'all' }], {}, []],
    ['a restart without data', [{ fault: 'crash', nodes: 'n1', for: 1011 }], {}, ['restart']],
    ['a late one', [{ fault: 'crash', nodes: 'n1', for: 1012 }], {}, []],
    [
      'a late one, with right clocks and tokens',
      [{ fault: 'crash', nodes: 'n1' }],
      { settings: { fencing: true } },
      [],
    ],
    [
      'a late one, with wrong clocks and tokens',
      [{ fault: 'crash', nodes: 'n1' }],
      { settings: { fencing: true }, clients: { A: { wallOffset: 1 } } },
      ['restart'],
    ],
    ['a durable one', [{ fault: 'crash', nodes: 'n1', for: 1, how: 'power-loss' }], DURABLE, []],
    [
      'a loss of the last second',
      [{ fault: 'crash', nodes: 'n1', for: 1, how: 'power-loss' }],
      { nodes: { persistence: 'aof-everysec' } },
      ['restart'],
    ],
    ['a flush', [{ fault: 'flush', nodes: 'n1' }], DURABLE, ['restart']],
    ['nodes that forget', FORGETTING, { ...GUARDED, nodes: { replica: true } }, []],
    [
      'nodes that forget, with right clocks and tokens',
      FORGETTING,
      { settings: { ttl: '1s', restartGuard: '1s', fencing: true }, nodes: { replica: true } },
      [],
    ],
    [
      'nodes that forget, with wrong clocks and tokens',
      FORGETTING,
      {
        settings: { ttl: '1s', restartGuard: '1s', fencing: true },
        nodes: { replica: true },
        clients: { A: { wallOffset: 1 } },
      },
      ['restart', 'promotion'],
    ],
    [
      'keys that are dropped, which a guard does not see',
      [{ fault: 'eviction', nodes: 'n1' }],
      { ...GUARDED, nodes: { maxmemoryPolicy: 'volatile-lru' } },
      ['eviction'],
    ],
    ['a node that refuses', [{ fault: 'eviction', nodes: 'n1' }], {}, []],
    [
      'a node that drops keys',
      [{ fault: 'eviction', nodes: 'n1' }],
      { nodes: { maxmemoryPolicy: 'volatile-lru' } },
      ['eviction'],
    ],
    ['a replica that has everything', [{ fault: 'promotion', nodes: 'n1', lag: 0 }], REPLICAS, []],
    ['a replica that lags', [{ fault: 'promotion', nodes: 'n1', lag: 1 }], REPLICAS, ['promotion']],
  ])('%s', (_what, faults, changes, expected) => {
    expect(withFaults(faults, { settings: { ttl: '1s' }, ...changes })).toEqual(expected);
  });

  it('is within an envelope that leaves open what is overstepped', () => {
    const scenario = scenarioOf({ faults: [{ fault: 'flush', nodes: 'n1' }] });
    expect(isWithin(scenario, { open: [] })).toBe(false);
    expect(isWithin(scenario, { open: ['clock-jump'] })).toBe(false);
    expect(isWithin(scenario, { open: ['restart'] })).toBe(true);
  });
});

describe('leavesInTime', () => {
  // Of a second, 988 ms are valid; acquiring may take 100 ms, a write 6, and pauses and late writes 200.
  it.each<[string, Steps, ScenarioInput['settings'], boolean]>([
    ['nothing but the lock', [ACQUIRE, 'release'], {}, true],
    ['all the time that there is', [ACQUIRE, { work: 688 }, 'release'], {}, true],
    ['a millisecond more', [ACQUIRE, { work: 689 }, 'release'], {}, false],
    ['a write less', [ACQUIRE, { work: 682 }, 'write', 'release'], {}, true],
    ['a write too many', [ACQUIRE, { work: 683 }, 'write', 'release'], {}, false],
    ['an extension that may fail', [ACQUIRE, { work: 589 }, { extend: 1000 }, 'release'], {}, false],
    ['a token to be committed', [ACQUIRE, { work: 589 }, 'release'], { fencing: true }, false],
    ['rest when it is given back', [ACQUIRE, 'release', { rest: '1h' }], {}, true],
    ['rest without giving it back', [ACQUIRE, { rest: '1h' }], {}, false],
    ['two locks, one after the other', [ACQUIRE, { work: 600 }, ACQUIRE, { work: 600 }], {}, true],
  ])('%s', (_what, steps, settings, expected) => {
    expect(inTime(steps, settings)).toBe(expected);
  });
});

it('a key lives for the longest time to live of all, and as much longer as its clock may be slow', () => {
  expect(longestLifeMs(scenarioOf({ workload: [{ steps: [ACQUIRE, { extend: '2s' }] }] }))).toBeCloseTo(2022);
});
