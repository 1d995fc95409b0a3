import type { History } from '../../history/history.ts';
import { eventsOf } from '../../history/events-of.ts';
import type { Scenario } from '../../scenario/schema.ts';
import { createProcessesTestbed } from '../processes/processes-testbed.ts';
import { redisServerProgram, toxiproxyServerProgram } from '../processes/programs.ts';
import {
  type EventOf,
  type FaultInput,
  type ScenarioInput,
  scenarioOf,
  Story,
} from '../simulated/simulated-testing.ts';
import { TestbedUnavailableError } from '../testbed-error.ts';
import type { RunOptions, Testbed } from '../testbed.ts';

/** Why real runs cannot be tested here and what would put it right, as the title of what is skipped; null if they can. */
export function whyNoRealRuns(): string | null {
  try {
    redisServerProgram(null);
    toxiproxyServerProgram();
    return null;
  } catch (error) {
    if (!(error instanceof TestbedUnavailableError)) throw error;
    return `${error.message} (${error.remedy})`;
  }
}

/** Over and over, each client takes a lock of its own, writes, and gives it back, until the limit cuts it off. Who does not get it waits a little. */
export const BUSY: NonNullable<ScenarioInput['workload']>[number] = {
  repeat: 100_000,
  steps: [
    { acquire: { resource: '{client}', retryCount: 1, retryDelay: '10ms', retryJitter: '0ms' } },
    'write',
    'release',
    { rest: '8ms' },
  ],
};

/** A scenario for tests on real servers: three nodes, two busy clients, short lives. */
export function realScenario(changes: Partial<ScenarioInput>): Scenario {
  return scenarioOf({ settings: { nodes: 3, ttl: '300ms' }, network: {}, workload: [BUSY], ...changes });
}

/** What happened in a real run: it is asked about faults, never about the clock. */
export class RealStory extends Story {
  static of(history: History): RealStory {
    return new RealStory([...eventsOf(history)]);
  }

  /** The fault that began as this one of its kind, from 0. */
  started(kind: string, place = 0): EventOf<'fault-started'> {
    const event = this.all('fault-started', { kind }).at(place);
    if (event === undefined) throw new Error(`there was no fault ${kind} number ${place}`);
    return event;
  }

  /** What was sent by this client to this node while the fault was surely in force: its healing began no earlier than `forMs` after its start. */
  sentDuring(fault: EventOf<'fault-started'>, forMs: number, client: string, node: string): EventOf<'command-sent'>[] {
    return this.all('command-sent', { client, node }).filter(
      ({ timeUs }) => timeUs > fault.timeUs && timeUs < fault.timeUs + forMs * 1000 - 1000,
    );
  }

  executionOf({ command }: { readonly command: number }): EventOf<'command-executed'> | undefined {
    return this.all('command-executed', { command })[0];
  }

  /** The node's own answer. */
  answerTo({ command }: { readonly command: number }): EventOf<'reply-received'> | undefined {
    return this.all('reply-received', { command }).find(({ reply }) => reply !== 'failed');
  }

  /** The first time that this node granted this client something after that moment. */
  grantedAfter(timeUs: number, client: string, node: string): EventOf<'reply-received'> | undefined {
    return this.all('reply-received', { client, node, reply: 'granted' }).find((event) => event.timeUs > timeUs);
  }
}

/** Each fault begins `restMs` after the one before it has ended. */
export function oneAfterTheOther(faults: readonly FaultInput[], restMs = 250): FaultInput[] {
  return faults.map((fault, index) => ({
    ...fault,
    ...(index === 0
      ? { at: `${restMs}ms` }
      : { after: { event: 'fault-ended', nth: index, delay: `${restMs}ms` } as const }),
  }));
}

/** Runs the scenario on real servers: on processes of this machine, unless another testbed is given. */
export async function realStory(
  changes: Partial<ScenarioInput>,
  options: Partial<RunOptions> = {},
  testbed: Testbed = createProcessesTestbed(),
): Promise<RealStory> {
  const history = await testbed.run(realScenario(changes), { seed: 1, ...options });
  return RealStory.of(history);
}

/** Does all of the work, so many pieces at a time: runs mostly wait, but starting one keeps a processor busy. */
export async function sideBySide<Result>(
  count: number,
  works: readonly (() => Promise<Result>)[],
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const left = [...works.entries()];
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) results[next[0]] = await next[1]();
  };
  await Promise.all(Array.from({ length: count }, lane));
  return results;
}
