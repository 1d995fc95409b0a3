import { type Scenario, scenarioSchema } from '../sim/scenario/schema.ts';

/** A workload that the simulator is timed with. */
export interface SimulatedWorkload {
  readonly title: string;
  readonly scenario: Scenario;
}

function scenario(name: string, file: object): Scenario {
  return { ...scenarioSchema.parse(file), name };
}

/** 5 nodes and 8 clients, each with a resource of its own: what other simulators were measured with. */
export function distinctResources(cyclesPerClient: number): SimulatedWorkload {
  return {
    title: '8 clients, distinct resources',
    scenario: scenario('distinct-resources', {
      title: 'Eight clients lock and release resources of their own',
      clients: 8,
      workload: [{ repeat: cyclesPerClient, steps: [{ acquire: { resource: 'own-{client}' } }, 'release'] }],
      limit: '24h',
      expect: { 'mutual-exclusion': 'ok' },
      lesson: 'Nobody is in the way of anybody.',
    }),
  };
}

/** The contention scenario of the gallery, longer. */
export function contention(cyclesPerClient: number): SimulatedWorkload {
  return {
    title: '8 clients, one resource (contention)',
    scenario: scenario('contention', {
      title: 'Eight clients want one lock, and retry at random moments',
      settings: { ttl: '2s', retryCount: -1, retryDelay: '20ms', retryJitter: '30ms' },
      clients: 8,
      workload: [
        {
          repeat: cyclesPerClient,
          steps: [{ acquire: { resource: 'stock' } }, { work: '1ms..10ms' }, 'write', 'release', { rest: '0ms..20ms' }],
        },
      ],
      limit: '24h',
      expect: { 'mutual-exclusion': 'ok' },
      lesson: 'A client that finds the lock taken comes back at a random moment.',
    }),
  };
}
