import { describe, expect, it } from 'vitest';
import { realScenario } from '../real-testing.ts';
import { serverRequests } from './server-requests.ts';

const NODES = ['n1', 'n2', 'n3'];

describe('serverRequests', () => {
  it('wants the nodes and the protected resource, which keeps nothing whatever nodes keep', () => {
    const { servers, replicas, losesPower } = serverRequests(
      realScenario({ nodes: { persistence: 'aof-always', maxmemoryPolicy: 'allkeys-lru' } }),
      NODES,
    );
    expect(servers.map(({ name }) => name)).toEqual([...NODES, 'resource']);
    expect(servers[0]?.args.join(' ')).toBe(
      '--save  --appendonly yes --appendfsync always --maxmemory-policy allkeys-lru',
    );
    expect(servers.at(-1)?.args.join(' ')).toBe('--save ');
    expect([replicas.size, losesPower]).toEqual([0, false]);
  });

  it('moves the clocks of nodes alone', () => {
    const { servers, replicas } = serverRequests(
      realScenario({ nodes: { replica: true }, faults: [{ fault: 'clock-jump', by: '1s', nodes: 'n1' }] }),
      NODES,
    );
    expect(servers.map(({ movesClock }) => movesClock)).toEqual([true, true, true, false]);
    expect([...replicas.values()].map(({ movesClock }) => movesClock)).toEqual([false, false, false]);
  });

  it('gives each node a replica that keeps what the node keeps', () => {
    const { servers, replicas } = serverRequests(
      realScenario({ nodes: { replica: true, persistence: 'aof-no' } }),
      NODES,
    );
    expect([...replicas].map(([primary, { name }]) => [primary, name])).toEqual(
      NODES.map((name) => [name, `${name}_replica`]),
    );
    expect(replicas.get('n2')?.args).toEqual(servers[1]?.args);
  });

  it.each([
    ['kill', false],
    ['power-loss', true],
  ] as const)('of a crash by %s loses power: %s', (how, losesPower) => {
    const scenario = realScenario({ faults: [{ fault: 'crash', nodes: 'n1', how, at: '1s' }] });
    expect(serverRequests(scenario, NODES).losesPower).toBe(losesPower);
  });
});
