import { RealRun } from '../real/real-run.ts';
import type { Testbed } from '../testbed.ts';
import { processFleetStarter } from './process-fleet.ts';

/** Real redis-servers behind a real Toxiproxy, all processes of this machine. */
export const processesTestbed: Testbed = {
  name: 'processes',
  run: (scenario, options) => new RealRun(processFleetStarter, scenario, options).run(),
};
