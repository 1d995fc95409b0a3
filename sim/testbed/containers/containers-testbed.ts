import { RealRun } from '../real/real-run.ts';
import type { Testbed } from '../testbed.ts';
import { containerFleetStarter } from './container-fleet.ts';

/** Real Redis servers behind a real Toxiproxy, all in containers. */
export const containersTestbed: Testbed = {
  name: 'containers',
  run: (scenario, options) => new RealRun(containerFleetStarter, scenario, options).run(),
};
