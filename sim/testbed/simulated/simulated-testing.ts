import type { z } from 'zod';
import type { HistoryEvent, HistoryEventType } from '../../history/event.ts';
import { type Scenario, scenarioSchema } from '../../scenario/schema.ts';
import { simulatedTestbed } from './simulated-testbed.ts';

export type ScenarioInput = z.input<typeof scenarioSchema>;
export type FaultInput = NonNullable<ScenarioInput['faults']>[number];
export type EventOf<Type extends HistoryEventType> = Extract<HistoryEvent, { type: Type }>;

/** Each message takes 1 ms, so that tests can say when things happen. */
export const LATENCY_US = 1000;

/** A scenario for tests: three nodes and two clients, A and B, each of which takes a lock of its own, writes and gives it back, over and over for 900 ms. */
export function scenarioOf(changes: Partial<ScenarioInput> = {}): Scenario {
  const input: ScenarioInput = {
    title: 'A test',
    settings: { nodes: 3, ttl: '1s' },
    clients: { A: null, B: null },
    network: { latency: '1ms' },
    workload: [
      {
        repeat: 90,
        steps: [{ acquire: { resource: '{client}', retryCount: 0 } }, 'write', 'release', { rest: '4ms' }],
      },
    ],
    expect: { 'mutual-exclusion': 'ok' },
    lesson: 'None.',
    ...changes,
  };
  return { ...scenarioSchema.parse(input), name: 'test' };
}

/** What happened in a run, and questions about it. */
export class Story {
  readonly events: readonly HistoryEvent[];

  constructor(events: readonly HistoryEvent[]) {
    this.events = events;
  }

  /** The events of this type that have these values, in order. */
  all<Type extends HistoryEventType>(type: Type, where: Partial<EventOf<Type>> = {}): EventOf<Type>[] {
    const fields = Object.entries(where);
    return this.events.filter((event): event is EventOf<Type> => {
      const values = event as unknown as Readonly<Record<string, unknown>>;
      return event.type === type && fields.every(([field, value]) => values[field] === value);
    });
  }

  /** The one event of this type that has these values; an error if there is none, or more. */
  one<Type extends HistoryEventType>(type: Type, where: Partial<EventOf<Type>> = {}): EventOf<Type> {
    const [event, ...others] = this.all(type, where);
    if (event === undefined || others.length > 0) {
      throw new Error(
        `there are ${event === undefined ? 0 : others.length + 1} events ${type} ${JSON.stringify(where)}`,
      );
    }
    return event;
  }

  /** The first such event; an error if there is none. */
  first<Type extends HistoryEventType>(type: Type, where: Partial<EventOf<Type>> = {}): EventOf<Type> {
    const [event] = this.all(type, where);
    if (event === undefined) throw new Error(`there is no event ${type} ${JSON.stringify(where)}`);
    return event;
  }

  /** What happened after `fromMs` and before `untilMs`. */
  between(fromMs: number, untilMs: number): Story {
    return new Story(this.events.filter(({ timeUs }) => timeUs > fromMs * 1000 && timeUs < untilMs * 1000));
  }

  /** What happened up to the end of the workload. */
  beforeHealing(): Story {
    const end = this.events.findIndex(({ type }) => type === 'healed');
    return new Story(this.events.slice(0, end));
  }

  /** Which clients heard from which nodes: `A n1`, sorted. */
  conversations(): string[] {
    return distinct(this.all('reply-received').map(({ client, node }) => `${client} ${node}`));
  }

  /** On which links what was lost: `A n1 request`, sorted. */
  lostOn(): string[] {
    return distinct(this.all('message-lost').map(({ client, node, direction }) => `${client} ${node} ${direction}`));
  }
}

/** Runs the scenario in virtual time. */
export async function storyOf(changes: Partial<ScenarioInput> = {}, seed = 1): Promise<Story> {
  const history = await simulatedTestbed.run(scenarioOf(changes), { seed });
  return new Story(Array.from({ length: history.length }, (_, index) => history.at(index)));
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}
