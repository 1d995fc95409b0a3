import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../history/event.ts';
import { scenarioOf } from '../testbed/simulated/simulated-testing.ts';
import { simulatedTestbed } from '../testbed/simulated/simulated-testbed.ts';
import { misconductIn } from './conduct.ts';

/** A holds r and s; B asks for s and t meanwhile, and every node holds one of these and grants the other. */
const SCENARIO = scenarioOf({
  settings: { nodes: 3, ttl: '1s', nodeTimeout: '50ms', retryCount: 0 },
  clients: { A: null, B: null },
  workload: [
    { clients: 'A', steps: [{ acquire: { resource: ['s', 'r'] } }, { work: '100ms' }, 'release'] },
    { clients: 'B', at: '20ms', steps: [{ acquire: { resource: ['s', 't'] } }, 'release'] },
  ],
});

async function eventsOf(): Promise<readonly HistoryEvent[]> {
  const history = await simulatedTestbed.run(SCENARIO, { seed: 1 });
  return Array.from({ length: history.length }, (_, index) => history.at(index));
}

function misconduct(events: readonly HistoryEvent[]): string[] {
  const history = { length: events.length, at: (index: number) => events[index] as HistoryEvent };
  return misconductIn(SCENARIO, history).map(({ rule, message }) => `${rule}: ${message}`);
}

describe('a library that locks several resources', () => {
  it('keeps its word, by one attempt for all of them', async () => {
    const events = await eventsOf();
    expect(misconduct(events)).toEqual([]);
    const attempts = events.filter((event) => event.type === 'attempt-started' && event.operation <= 2);
    expect(attempts).toHaveLength(2);
    expect(events.find((event) => event.type === 'acquire-failed')).toMatchObject({ resource: 's, t', client: 'B' });
  });

  it('does not if it leaves what was granted in part, if it was but on one node', async () => {
    const isLeft = (event: HistoryEvent): boolean =>
      event.type === 'command-sent' &&
      event.client === 'B' &&
      event.kind === 'release' &&
      event.node === 'n2' &&
      event.key === 'lock:t';
    expect(misconduct((await eventsOf()).filter((event) => !isLeft(event)))).toEqual([
      expect.stringMatching(/^clean-up: .* B asked n2 to store .*never told to remove it/),
    ]);
  });

  it('does not if it asks a node for one of them only', async () => {
    const isAsked = (event: HistoryEvent): boolean =>
      event.type === 'command-sent' &&
      event.client === 'B' &&
      event.kind === 'acquire' &&
      event.node === 'n2' &&
      event.key === 'lock:t';
    expect(misconduct((await eventsOf()).filter((event) => !isAsked(event)))).toContainEqual(
      expect.stringContaining('asked 2.5 of 3 nodes, with 2 resources to ask each for'),
    );
  });

  it('does not if it fails although no node held any of them, but may if each held one', async () => {
    const events = await eventsOf();
    const ofB = new Map(
      events.flatMap((event) =>
        event.type === 'command-sent' && event.client === 'B' && event.kind === 'acquire'
          ? [[event.command, event.key] as const]
          : [],
      ),
    );
    const granted = (keys: readonly string[]): readonly HistoryEvent[] =>
      events.map((event) =>
        event.type === 'reply-received' && keys.includes(ofB.get(event.command) ?? '')
          ? { ...event, reply: 'granted' }
          : event,
      );
    expect(misconduct(granted(['lock:t']))).toEqual([]);
    expect(misconduct(granted(['lock:s', 'lock:t']))).toEqual([
      expect.stringMatching(/^vote: .* failed with \d of 3 nodes for it and 0 against it, although/),
    ]);
  });
});
