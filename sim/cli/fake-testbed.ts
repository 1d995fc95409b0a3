import type { HistoryEvent } from '../history/event.ts';
import { eventsOf } from '../history/events-of.ts';
import { HistoryLog } from '../history/history-log.ts';
import { lossReason } from '../history/loss.ts';
import type { Availability } from '../testbed/readiness.ts';
import { simulatedTestbed } from '../testbed/simulated/simulated-testbed.ts';
import type { RunOptions, Testbed } from '../testbed/testbed.ts';

const CAN_RUN: Availability = { canRun: true, parts: [{ name: 'fake', version: '1.2.3', place: '/bin/fake' }] };
export const CANNOT_RUN: Availability = {
  canRun: false,
  parts: [{ name: 'fake', problem: 'there is no fake', remedy: 'install one', blocks: 'all' }],
};

export interface FakeTestbedOptions {
  readonly name?: string;
  readonly availability?: Availability | Promise<Availability>;
  readonly lacks?: Testbed['lacks'];
  /** Called before each run, which fails if this does. */
  readonly before?: (scenario: string, options: RunOptions) => void | Promise<void>;
  /** Why a run is lost, if it is. */
  readonly loses?: (scenario: string, seed: number) => string | null;
  /** Which events it sees; all by default. */
  readonly sees?: (event: HistoryEvent) => boolean;
}

/** A testbed that passes for one of real servers, and simulates. */
export function fakeTestbed(options: FakeTestbedOptions = {}): Testbed {
  const { name = 'processes', availability = CAN_RUN, lacks = () => null, before, sees = () => true } = options;
  const { loses = () => null } = options;
  return {
    name,
    isDeterministic: false,
    check: async () => availability,
    lacks,
    run: async (scenario, runOptions) => {
      await before?.(scenario.name, runOptions);
      const simulated = await simulatedTestbed.run(scenario, { seed: runOptions.seed });
      const history = new HistoryLog();
      for (const event of eventsOf(simulated)) {
        if (!sees(event)) continue;
        const lost = loses(scenario.name, runOptions.seed);
        if (event.type === 'run-started') history.record({ ...event, backend: name });
        else if (event.type === 'run-ended' && lost !== null) history.record({ ...event, reason: lossReason(lost) });
        else history.record(event);
      }
      runOptions.onEvents?.(history.since(0));
      return history;
    },
  };
}
