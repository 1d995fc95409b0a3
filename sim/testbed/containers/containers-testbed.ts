import { realLack } from '../real/capabilities.ts';
import { RealRun } from '../real/real-run.ts';
import type { Testbed } from '../testbed.ts';
import { checkContainers } from './check-containers.ts';
import { containerFleetStarter } from './container-fleet.ts';

/** Real Redis servers behind a real Toxiproxy, all in containers. */
export const containersTestbed: Testbed = {
  name: 'containers',
  isDeterministic: false,
  check: checkContainers,
  lacks: realLack,
  run: (scenario, options) => new RealRun(containerFleetStarter, scenario, options).run(),
};
