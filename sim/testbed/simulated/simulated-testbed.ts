import { availabilityOf } from '../readiness.ts';
import type { Testbed } from '../testbed.ts';
import { SimulatedRun } from './simulated-run.ts';

/** The world in virtual time: needs nothing but Node, and the same seed gives the same history, byte for byte. */
export const simulatedTestbed: Testbed = {
  name: 'simulated',
  isDeterministic: true,
  check: () =>
    Promise.resolve(availabilityOf([{ name: 'node', version: process.versions.node, place: process.execPath }])),
  lacks: () => null,
  run: (scenario, options) => new SimulatedRun(scenario, options).run(),
};
