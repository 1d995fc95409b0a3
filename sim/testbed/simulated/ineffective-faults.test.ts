import { afterEach, describe, expect, it, vi } from 'vitest';
import { judge } from '../../judge/judge.ts';
import { galleryNames, loadScenario } from '../../scenario/load.ts';
import type { Fault } from '../../scenario/fault-schema.ts';
import { SimulatedFaults } from './simulated-faults.ts';
import { simulatedTestbed } from './simulated-testbed.ts';

const SEEDS = [1, 2, 3];

const scenarios = galleryNames().map(loadScenario);

/** What a fault does in the simulated world. */
type BringAbout = (aimed: { readonly fault: Fault }) => (() => void) | null;
const faults = SimulatedFaults.prototype as unknown as { bringAbout: BringAbout };

/** The fault begins and ends in the history, and does nothing. */
function disable(idle: Fault): void {
  const { bringAbout } = faults;
  vi.spyOn(faults, 'bringAbout').mockImplementation(function (this: SimulatedFaults, aimed): ReturnType<BringAbout> {
    return aimed.fault === idle ? () => undefined : bringAbout.call(this, aimed);
  });
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a fault of the gallery that is recorded and not made is found out', () => {
  const cases = scenarios.flatMap((scenario) => scenario.faults.map((fault, place) => ({ scenario, fault, place })));
  it.each(cases.map((one) => [`${one.scenario.name}, fault ${one.place + 1}: ${one.fault.fault}`, one] as const))(
    '%s',
    async (_name, { scenario, fault }) => {
      disable(fault);
      for (const seed of SEEDS) {
        const history = await simulatedTestbed.run(scenario, { seed });
        const { outcome } = judge(history, scenario, '');
        expect(outcome, `with the seed ${seed}`).not.toBe('as-expected');
      }
    },
  );
});
