import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../../history/event.ts';
import { encodeEvent, encodeHistory } from '../../history/ndjson.ts';
import { galleryNames, loadScenario } from '../../scenario/load.ts';
import { simulatedTestbed } from './simulated-testbed.ts';
import { type ScenarioInput, storyOf } from './simulated-testing.ts';

const NAMES = galleryNames();

async function bytesOf(name: string, seed: number): Promise<string> {
  return encodeHistory(await simulatedTestbed.run(loadScenario(name), { seed }));
}

describe('the same scenario with the same seed', () => {
  it('there is a gallery', () => {
    expect(NAMES.length).toBeGreaterThan(20);
  });

  it.each(NAMES)('%s: gives the same bytes, and other bytes with another seed', async (name) => {
    const bytes = await bytesOf(name, 1);
    expect(await bytesOf(name, 1)).toBe(bytes);
    const other = await bytesOf(name, 2);
    const withoutSeed = (text: string): string => text.slice(text.indexOf('\n'));
    expect(withoutSeed(other)).not.toBe(withoutSeed(bytes));
  });

  it('gives the same bytes while all others run beside it', async () => {
    const alone: string[] = [];
    for (const name of NAMES) alone.push(await bytesOf(name, 3));
    const together = await Promise.all(NAMES.map((name) => bytesOf(name, 3)));
    expect(together).toEqual(alone);
  });

  it('gives the same bytes whoever looks on, and through a signal that never fires', async () => {
    const scenario = loadScenario('contention');
    const { signal } = new AbortController();
    let text = '';
    const history = await simulatedTestbed.run(scenario, {
      seed: 5,
      signal,
      onEvents: (events) => {
        for (const event of events) text += `${encodeEvent(event)}\n`;
      },
    });
    expect(encodeHistory(history)).toBe(await bytesOf('contention', 5));
    expect(text).toBe(encodeHistory(history));
  });
});

/** What happens in the parts of a run that a change elsewhere must not touch. */
async function tracesOf(
  changes: Partial<ScenarioInput>,
  isOf: (event: HistoryEvent) => boolean,
): Promise<readonly HistoryEvent[]> {
  return (await storyOf(changes)).beforeHealing().events.filter(isOf);
}

describe('chance of one part', () => {
  const own = (client: string, work: string): NonNullable<ScenarioInput['workload']>[number] => ({
    clients: client,
    repeat: 5,
    steps: [{ acquire: { resource: '{client}' } }, { work }, 'release', { rest: '1ms..9ms' }],
  });
  const network = { latency: '200us..3ms' };
  const ofB = (event: HistoryEvent): boolean => 'client' in event && event.client === 'B';
  /** Numbers count across clients, and are no draws. */
  const unnumbered = (events: readonly HistoryEvent[]): unknown[] =>
    events.map((event) => ({ ...event, command: 0, operation: 0, lease: 0, write: 0 }));

  it('is not moved by a client that draws more', async () => {
    const one = await tracesOf({ network, workload: [own('A', '5ms'), own('B', '2ms..7ms')] }, ofB);
    const other = await tracesOf(
      { network, workload: [{ ...own('A', '1ms..30ms'), repeat: 9 }, own('B', '2ms..7ms')] },
      ofB,
    );
    expect(one.length).toBeGreaterThan(50);
    expect(unnumbered(other)).toEqual(unnumbered(one));
  });

  it('is not moved by a client that is not there', async () => {
    const workload = [own('B', '2ms..7ms')];
    const alone = await tracesOf({ network, clients: { B: null }, workload }, ofB);
    expect(unnumbered(await tracesOf({ network, clients: { C: null, B: null, D: null }, workload }, ofB))).toEqual(
      unnumbered(alone),
    );
  });

  it('is not moved by faults that draw', async () => {
    const workload = [own('A', '5ms'), own('B', '2ms..7ms')];
    const without = await tracesOf({ network, workload }, ofB);
    const faults: ScenarioInput['faults'] = [
      { fault: 'loss', clients: 'A', direction: 'reply', probability: 0.3 },
      { fault: 'latency', clients: 'A', delay: '1ms..5ms' },
    ];
    expect(unnumbered(await tracesOf({ network, workload, faults }, ofB))).toEqual(unnumbered(without));
  });

  it('is not moved by a script that starts earlier', async () => {
    const slow = { ...own('A', '5ms'), at: '50ms' };
    const late = await tracesOf({ network, workload: [slow, own('B', '2ms..7ms')] }, ofB);
    const early = await tracesOf({ network, workload: [{ ...slow, at: '0ms' }, own('B', '2ms..7ms')] }, ofB);
    expect(unnumbered(early)).toEqual(unnumbered(late));
  });
});
