import { RESOURCE } from '../../../scenario/server-names.ts';
import type { Scenario } from '../../../scenario/schema.ts';
import { DEFAULT_SAVE_POINTS } from '../../save-points.ts';
import { movesNodeClocks } from '../capabilities.ts';
import type { FleetRequest } from './server-fleet.ts';

/** The arguments by which a redis-server keeps nothing on disk. */
export const KEEPS_NOTHING: readonly string[] = ['--save', ''];

/** How the replica of a node is called, by its server and by its routes. No client can be called so. */
export function replicaOf(node: string): string {
  return `${node}_replica`;
}

/** The servers that a scenario needs: its nodes, the protected resource, and a replica of each node if it says so. */
export function serverRequests(
  scenario: Scenario,
  nodeNames: readonly string[],
): Pick<FleetRequest, 'servers' | 'replicas' | 'losesPower'> {
  const args = redisArguments(scenario.nodes);
  const movesClock = movesNodeClocks(scenario);
  const replicated = scenario.nodes.replica ? nodeNames : [];
  return {
    servers: [
      ...nodeNames.map((name) => ({ name, args, movesClock })),
      { name: RESOURCE, args: KEEPS_NOTHING, movesClock: false },
    ],
    replicas: new Map(replicated.map((name) => [name, { name: replicaOf(name), args, movesClock: false }])),
    losesPower: scenario.faults.some((fault) => fault.fault === 'crash' && fault.how === 'power-loss'),
  };
}

/** The arguments by which a redis-server keeps data, and gives it up, as a scenario says. */
function redisArguments({ persistence, maxmemoryPolicy, replica }: Scenario['nodes']): readonly string[] {
  return [
    ...persistenceArguments(persistence),
    '--maxmemory-policy',
    maxmemoryPolicy,
    // No other replica will come, for which a primary would wait five seconds.
    ...(replica ? ['--repl-diskless-sync-delay', '0'] : []),
  ];
}

function persistenceArguments(persistence: Scenario['nodes']['persistence']): readonly string[] {
  switch (persistence) {
    case 'none':
      return KEEPS_NOTHING;
    case 'rdb':
      // Each by itself: servers before 7.0 take no more than one at a time.
      return DEFAULT_SAVE_POINTS.flatMap(({ afterSeconds, writes }) => ['--save', `${afterSeconds}`, `${writes}`]);
    case 'aof-everysec':
    case 'aof-always':
    case 'aof-no':
      return [...KEEPS_NOTHING, '--appendonly', 'yes', '--appendfsync', persistence.slice('aof-'.length)];
  }
}
