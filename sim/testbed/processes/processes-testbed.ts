import { availabilityOf, lookFor } from '../readiness.ts';
import { movesNodeClocks, realLack, stopLack } from '../real/capabilities.ts';
import { RealRun } from '../real/real-run.ts';
import type { Testbed } from '../testbed.ts';
import { libfaketime } from './faketime.ts';
import { processFleetStarter } from './process-fleet.ts';
import { findFaketime, probeClocks, probeRedisServer, probeToxiproxy } from './probes.ts';

const NAME = 'processes';

/** Real redis-servers behind a real Toxiproxy, all processes of this machine. */
export function createProcessesTestbed(): Testbed {
  return testbedOf(NAME, null);
}

/**
 * The same with one certain redis-server; its version becomes part of the name: `processes-7.0.15`. Rejects with a TestbedUnavailableError
 * if it is none.
 */
export async function createProcessesTestbedWith(redisServer: string): Promise<Testbed> {
  const { version } = await probeRedisServer(redisServer);
  // The name becomes that of a folder.
  return testbedOf(`${NAME}-${version.replace(/[^\w.-]/g, '_')}`, redisServer);
}

function testbedOf(name: string, redisServer: string | null): Testbed {
  const starter = processFleetStarter({ backend: name, redisServer });
  let clockProblem = libfaketime() === null ? 'there is no libfaketime' : null;
  return {
    name,
    isDeterministic: false,
    check: async () => {
      const redis = await lookFor('redis-server', 'all', () => probeRedisServer(redisServer));
      const toxiproxy = await lookFor('toxiproxy-server', 'all', probeToxiproxy);
      // Without a server, whose clock it could move, it is only looked for.
      const clocks = await lookFor('libfaketime', 'some', () =>
        'problem' in redis ? findFaketime() : probeClocks(redisServer),
      );
      clockProblem = 'problem' in clocks ? `${clocks.problem} (${clocks.remedy})` : null;
      return availabilityOf([redis, toxiproxy, clocks]);
    },
    lacks: (scenario) => {
      const lack = realLack(scenario);
      if (lack !== null) return lack;
      if (movesNodeClocks(scenario) && clockProblem !== null) {
        return `the clocks of nodes cannot be moved here: ${clockProblem}`;
      }
      return scenario.faults.some(({ fault }) => fault === 'server-pause') ? stopLack('a server') : null;
    },
    run: (scenario, options) => new RealRun(starter, scenario, options).run(),
  };
}
