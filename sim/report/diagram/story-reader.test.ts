import { describe, expect, it } from 'vitest';
import type { History } from '../../history/history.ts';
import { pausedHolder } from '../fixtures/judgements.ts';
import { RunBuilder } from '../fixtures/run-builder.ts';
import { readStory } from './story-reader.ts';
import { chooseWindow, type Window } from './window.ts';

function wholeStory(run: RunBuilder): ReturnType<typeof readStory> {
  const log = run.end();
  return readStory(log, chooseWindow(log, []), new Set());
}

function windowFrom(history: History, fromUs: number): Window {
  let from = 0;
  while (history.at(from).timeUs < fromUs) from += 1;
  return { ...chooseWindow(history, []), from, fromUs, choice: 'around the first violation' };
}

describe('readStory', () => {
  it('tells of leases, sections, pauses, keys and writes with their beginnings and ends', () => {
    const { history } = pausedHolder();
    const story = readStory(history, chooseWindow(history, []), new Set());
    expect(
      story.leases.map(({ client, fromUs, untilUs, validUntilUs }) => ({
        client,
        fromUs,
        ended: untilUs,
        validUntilUs,
      })),
    ).toEqual([
      { client: 'A', fromUs: 1140, ended: 988_000, validUntilUs: 988_000 },
      { client: 'B', fromUs: 1_051_140, ended: 1_501_400, validUntilUs: 2_038_000 },
    ]);
    expect(story.sections.map(({ client, untilUs }) => [client, untilUs])).toEqual([
      ['A', 1_501_400],
      ['B', 1_501_400],
    ]);
    expect(story.standstills).toEqual([{ lane: 'A', kind: 'paused', fromUs: 50_000, untilUs: 1_500_000 }]);
    expect(story.keys.filter(({ node }) => node === 'n1').map(({ client, end }) => [client, end])).toEqual([
      ['A', 'expired'],
      ['B', 'released'],
    ]);
    expect(story.writes.map(({ client, accepted }) => [client, accepted])).toEqual([
      ['B', true],
      ['A', true],
    ]);
    expect(story.messages).toHaveLength(15);
  });

  it('knows at the beginning of a window what is still open from before it, and nothing that is over', () => {
    const { history } = pausedHolder();
    const story = readStory(history, windowFrom(history, 1_501_000), new Set());
    expect(story.leases.map(({ client }) => client)).toEqual(['B']);
    expect(story.sections.map(({ client }) => client)).toEqual(['A', 'B']);
    expect(story.keys.map(({ client }) => client)).toEqual(['B', 'B', 'B', 'B', 'B']);
    expect(story.standstills).toEqual([]);
  });

  it('keeps what it sees of a message whose sending lies before the window', () => {
    const { history } = pausedHolder();
    const story = readStory(history, windowFrom(history, 1_501_401), new Set());
    expect(story.messages).toHaveLength(5);
    for (const { sentUs, executedUs, receivedUs } of story.messages) {
      expect(sentUs).toBeNull();
      expect(executedUs).not.toBeNull();
      expect(receivedUs).not.toBeNull();
    }
  });

  it('prolongs a lease that is extended', () => {
    const run = new RunBuilder();
    const lease = run.acquire('A') ?? 0;
    run
      .at(5_000_000)
      .record('extend-granted', { client: 'A', operation: 9, lease, validityMs: 9_898, validUntilUs: 14_898_000 });
    const [only] = wholeStory(run.at(20_000_000)).leases;
    expect(only).toMatchObject({ untilUs: 14_898_000, extendedUs: [5_000_000] });
  });

  it.each<[string, readonly (readonly [timeUs: number, byMs: number, rate: number])[], readonly (readonly number[])[]]>(
    [
      ['no change', [], [[1140, 9_898_000]]],
      ['slow from the half on', [[4_898_000, 0, 0.5]], [[1140, 14_898_000]]],
      ['set forward beyond its end', [[5_000_000, 9_000, 1]], [[1140, 5_000_000]]],
      ['set back', [[5_000_000, -1_000, 1]], [[1140, 10_898_000]]],
      ['set back too little when it is over', [[11_000_000, -1_000, 1]], [[1140, 9_898_000]]],
      [
        'set back when it is over',
        [
          [10_898_000, -500, 1],
          [11_898_000, -2_500, 1],
        ],
        [
          [1140, 9_898_000],
          [11_898_000, 12_898_000],
        ],
      ],
    ],
  )(
    'ends a lease where the clock of its holder says, and draws one anew that lives again: %s',
    (_what, changes, expected) => {
      const run = new RunBuilder();
      run.acquire('A');
      for (const [timeUs, byMs, rate] of changes) {
        run.at(timeUs).record('client-clock-changed', { client: 'A', clock: 'monotonic', byMs, rate });
      }
      expect(wholeStory(run.at(30_000_000)).leases.map(({ fromUs, untilUs }) => [fromUs, untilUs])).toEqual(expected);
    },
  );

  it('does not take a command that was sent twice for a new key', () => {
    const run = new RunBuilder({ nodes: ['n1'] });
    run.acquire('A');
    run.at(2000).record('command-executed', {
      command: 9,
      client: 'A',
      node: 'n1',
      kind: 'extend',
      key: 'stock',
      value: 'A-1-0123456789abcdef',
      reply: 'extended',
      before: 'A-1-0123456789abcdef',
      changed: true,
    });
    expect(wholeStory(run).keys).toHaveLength(1);
  });

  it('tells a lost write from a lost command of the same number', () => {
    const run = new RunBuilder({ nodes: ['n1'] });
    const lease = run.acquire('A') ?? 0;
    run.record('write-sent', { client: 'A', write: 1, lease, resource: 'stock', token: null });
    run.record('message-lost', { command: 1, client: 'A', node: 'resource', direction: 'request', fault: null });
    const story = wholeStory(run);
    expect(story.messages[0]?.lost).toBeNull();
    expect(story.writes[0]?.lost).toMatchObject({ direction: 'request' });
  });

  it('has lanes for names that the beginning of the history does not give', () => {
    const run = new RunBuilder({ clients: ['A'], nodes: ['n1'] });
    run.record('client-paused', { client: 'Z' });
    const story = wholeStory(run);
    expect(story.clients).toEqual(['A', 'Z']);
    expect(story.active.has('A')).toBe(false);
  });
});
