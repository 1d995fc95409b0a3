import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../history/event.ts';
import { simulatedTestbed } from '../testbed/simulated/simulated-testbed.ts';
import { scenarioOf, type ScenarioInput } from '../testbed/simulated/simulated-testing.ts';

type Steps = NonNullable<ScenarioInput['workload']>[number]['steps'];

/** Events of the workload but for messages, with the time in milliseconds. */
async function story(steps: Steps, changes: Partial<ScenarioInput> = {}): Promise<string[]> {
  const events: string[] = [];
  const scenario = scenarioOf({
    settings: { nodes: 3, ttl: '100ms', retryCount: 0, nodeTimeout: '20ms' },
    clients: { A: null },
    workload: [{ steps }],
    ...changes,
  });
  const history = await simulatedTestbed.run(scenario, { seed: 1 });
  for (let index = 0; index < history.length; index += 1) {
    const event = history.at(index);
    if (event.type === 'workload-ended') break;
    if (/^(acquire|section|extend|release)/.test(event.type)) events.push(lineOf(event));
  }
  return events;
}

function lineOf(event: HistoryEvent): string {
  const { type, operation, lease, code, timeUs } = event as HistoryEvent & {
    operation?: number;
    lease?: number;
    code?: string;
  };
  const words = [type, operation, lease === undefined ? undefined : `of ${lease}`, code].filter(
    (word) => word !== undefined,
  );
  return `${Math.round(timeUs / 1000)} ${words.join(' ')}`;
}

const USING = { resource: 'r', work: '120ms' } as const;
/** What a lock of 100 ms is valid for, less the 3 ms by which clocks may differ, and the time of the signal before that. */
const SIGNAL_MS = 95;

describe('a step that works by using', () => {
  it('records what the library does: extensions at half of what is left, and the release', async () => {
    expect(await story([{ using: USING }])).toEqual([
      '0 acquire-invoked 1',
      '2 acquire-granted 1',
      '2 section-entered of 1',
      '50 extend-invoked 2 of 1',
      '52 extend-granted 2 of 1',
      '99 extend-invoked 3 of 1',
      '101 extend-granted 3 of 1',
      '122 section-left of 1',
      '122 release-invoked 4 of 1',
      '124 release-done 4 of 1',
    ]);
  });

  it('leaves the section when the signal fires, which is before the lock is over', async () => {
    expect(await story([{ using: { ...USING, extensionLimit: 0 } }])).toEqual([
      '0 acquire-invoked 1',
      '2 acquire-granted 1',
      '2 section-entered of 1',
      `${SIGNAL_MS} section-left of 1`,
      `${SIGNAL_MS} release-invoked 2 of 1`,
      `${SIGNAL_MS + 2} release-done 2 of 1`,
    ]);
  });

  it('leaves the section when its caller’s patience is at an end', async () => {
    expect((await story([{ using: { ...USING, giveUpAfter: 30 } }])).slice(3)).toEqual([
      '30 section-left of 1',
      '30 release-invoked 2 of 1',
      '32 release-done 2 of 1',
    ]);
  });

  it('goes on to the next step when it did not get the lock, and says why', async () => {
    const steps: Steps = [{ using: USING }, { using: { resource: 's', work: 10, ttl: '2s' } }];
    const faults: ScenarioInput['faults'] = [{ fault: 'partition', for: 30 }];
    const settings = { nodes: 3, ttl: '100ms', retryCount: 0, nodeTimeout: '20ms', restartGuard: '1s' };
    expect(await story(steps, { faults, settings })).toEqual([
      '0 acquire-invoked 1',
      '20 acquire-failed 1 unreachable',
      '20 acquire-invoked 2',
      '20 acquire-failed 2 invalid-option',
    ]);
  });

  it('has an extension that is under way beside the release, and waits for its outcome', async () => {
    const steps: Steps = [{ using: { ...USING, work: 49 } }, { rest: 1 }, { using: { ...USING, work: 1 } }];
    expect((await story(steps)).slice(3, 9)).toEqual([
      '50 extend-invoked 2 of 1',
      '51 section-left of 1',
      '51 release-invoked 3 of 1',
      '52 extend-failed 2 of 1 extension-refused',
      '53 release-done 3 of 1',
      '54 acquire-invoked 4',
    ]);
  });
});
