import type { Scenario } from '../../../scenario/schema.ts';

/** Redis' default save points, each given by itself: servers before 7.0 take no more than one at a time. */
const DEFAULT_SAVE_POINTS = ['3600 1', '300 100', '60 10000'];

/** The arguments by which a redis-server keeps data, and gives it up, as a scenario says. */
export function redisArguments({ persistence, maxmemoryPolicy, replica }: Scenario['nodes']): readonly string[] {
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
      return ['--save', ''];
    case 'rdb':
      return DEFAULT_SAVE_POINTS.flatMap((point) => ['--save', ...point.split(' ')]);
    case 'aof-everysec':
    case 'aof-always':
    case 'aof-no':
      return ['--save', '', '--appendonly', 'yes', '--appendfsync', persistence.slice('aof-'.length)];
  }
}
