import { expect } from 'vitest';
import type { HistoryEvent, HistoryEventType } from '../history/event.ts';
import type { History } from '../history/history.ts';
import { scenarioOf, type ScenarioInput } from '../testbed/simulated/simulated-testing.ts';
import { simulatedTestbed } from '../testbed/simulated/simulated-testbed.ts';
import { misconductIn } from './conduct.ts';

/** A takes the lock, extends it after 102 ms and gives it back; B asks for it meanwhile, in vain. Each message takes 1 ms. */
const SCENARIO: Partial<ScenarioInput> = {
  settings: { nodes: 3, ttl: '1s', nodeTimeout: '50ms', retryCount: 0 },
  clients: { A: null, B: null },
  workload: [
    { clients: 'A', steps: [{ acquire: { resource: 'r' } }, { work: '100ms' }, { extend: '1s' }, 'release'] },
    { clients: 'B', at: '20ms', steps: [{ acquire: { resource: 'r' } }, 'release'] },
  ],
};

export type Events = readonly HistoryEvent[];

/** What happens in the scenario with these changes. */
export async function eventsOf(changes: Partial<ScenarioInput> = {}): Promise<Events> {
  const history = await simulatedTestbed.run(scenarioOf({ ...SCENARIO, ...changes }), { seed: 1 });
  return Array.from({ length: history.length }, (_, index) => history.at(index));
}

/** What is wrong with these events of the scenario, in the order of the rules: `rule: message`. */
export function misconduct(events: Events, changes: Partial<ScenarioInput> = {}): string[] {
  const history: History = { length: events.length, at: (index) => events[index] as HistoryEvent };
  return misconductIn(scenarioOf({ ...SCENARIO, ...changes }), history).map(
    ({ rule, message }) => `${rule}: ${message}`,
  );
}

/** The history without events of this type that have these values. */
export function without(events: Events, type: HistoryEventType, where: Readonly<Record<string, unknown>>): Events {
  const left = events.filter((event) => event.type !== type || !has(event, where));
  expect(left.length).toBeLessThan(events.length);
  return left;
}

/** The history with other values in the events of this type that have these values. */
export function changed(
  events: Events,
  type: HistoryEventType,
  where: Readonly<Record<string, unknown>>,
  values: Readonly<Record<string, unknown>>,
): Events {
  const news = events.map((event) => (event.type === type && has(event, where) ? { ...event, ...values } : event));
  expect(news).not.toEqual(events);
  return [...news].sort((one, other) => one.timeUs - other.timeUs);
}

function has(event: HistoryEvent, where: Readonly<Record<string, unknown>>): boolean {
  const fields = event as unknown as Readonly<Record<string, unknown>>;
  return Object.entries(where).every(([name, value]) => fields[name] === value);
}
