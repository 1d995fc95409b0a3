import { afterEach, describe, expect, it, vi } from 'vitest';
import { InvalidOptionError } from '../../../src/errors.ts';
import { Redlock } from '../../../src/redlock.ts';
import { encodeHistory } from '../../history/ndjson.ts';
import type { HistoryEvent } from '../../history/event.ts';
import { simulatedTestbed } from './simulated-testbed.ts';
import { LATENCY_US, type ScenarioInput, scenarioOf, type Story, storyOf } from './simulated-testing.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** A keeps the lock for long, and B tries to get it without end. */
const CONTENDED: ScenarioInput['workload'] = [
  { clients: 'A', steps: [{ acquire: { resource: 'r', ttl: '10s' } }, { work: '5s' }, 'write', 'release'] },
  {
    clients: 'B',
    at: '10ms',
    repeat: 3,
    steps: [{ acquire: { resource: 'r', retryCount: -1, retryDelay: '50ms' } }, 'release'],
  },
];

describe('a run', () => {
  it('begins with what a reader must know of it, and ends in order', async () => {
    const story = await storyOf({ settings: { nodes: 5, ttl: '1s', fencing: true, clockDriftFactor: 0.02 } }, 77);
    expect(story.events[0]).toEqual({
      type: 'run-started',
      timeUs: 0,
      format: 1,
      scenario: 'test',
      title: 'A test',
      backend: 'simulated',
      seed: 77,
      clients: ['A', 'B'],
      nodes: ['n1', 'n2', 'n3', 'n4', 'n5'],
      quorum: 3,
      longestTtlMs: 1000,
      clockDriftFactor: 0.02,
      fencing: true,
      clocks: { A: { clock: 'monotonic', rate: 1 }, B: { clock: 'monotonic', rate: 1 } },
    });
    expect(story.events.at(-1)).toMatchObject({ type: 'run-ended', reason: 'completed' });
    const timesUs = story.events.map(({ timeUs }) => timeUs);
    expect(timesUs).toEqual([...timesUs].sort((one, other) => one - other));
    expect(timesUs.every((timeUs) => Number.isInteger(timeUs))).toBe(true);
  });

  it('says what drift factor the library assumes where the scenario names none', async () => {
    expect((await storyOf()).events[0]).toMatchObject({ clockDriftFactor: 0.01, longestTtlMs: 1000 });
  });

  it('heals as soon as the last script has ended, without waiting for its limit', async () => {
    const story = await storyOf({
      workload: [{ clients: 'A', steps: [{ rest: '100ms' }] }],
      faults: [{ fault: 'client-pause', clients: 'B' }],
    });
    expect(story.one('healed').timeUs).toBe(100_000);
    expect(story.one('client-resumed')).toMatchObject({ client: 'B', timeUs: 100_000 });
  });

  it('waits for scripts that are still to start, however late', async () => {
    const story = await storyOf({
      workload: [{ clients: 'A', at: '1s', steps: [{ rest: '100ms' }] }],
    });
    expect(story.one('healed').timeUs).toBe(1_100_000);
  });
});

describe('a workload that is cut off by its limit', () => {
  const cutOff = (): Promise<Story> => storyOf({ workload: CONTENDED, limit: '1s' });

  it('ends acquires that are under way, and lets no script take another step', async () => {
    const story = await cutOff();
    expect(story.one('healed').timeUs).toBe(1_000_000);
    expect(story.one('acquire-failed')).toMatchObject({ client: 'B', code: 'aborted', timeUs: 1_000_000 });
    expect(story.all('acquire-invoked', { client: 'B', phase: 'workload' })).toHaveLength(1);
    // A was at work: it leaves its section when it is done with that, and neither writes nor releases.
    expect(story.one('section-left')).toMatchObject({ client: 'A', timeUs: 5_000_000 + 2 * LATENCY_US });
    expect(story.all('write-sent')).toEqual([]);
    expect(story.all('release-invoked', { client: 'A', phase: 'workload' } as never)).toEqual([]);
  });

  it('removes what the acquires that it ended had stored', async () => {
    const story = await cutOff();
    const { operation } = story.one('acquire-failed');
    const { value } = story.all('attempt-started', { operation }).at(-1) ?? { value: '' };
    expect(story.all('command-sent', { kind: 'release', value })).not.toEqual([]);
  });

  it('does not make a paused client act before it goes on', async () => {
    // It is paused in the middle of an attempt, which giving up means to clean up after.
    const story = await storyOf({
      workload: CONTENDED,
      limit: '1s',
      faults: [
        {
          fault: 'client-pause',
          clients: 'B',
          after: { event: 'command-sent', client: 'B', node: 'n3', kind: 'acquire', nth: 4 },
        },
      ],
    });
    const paused = story.events.findIndex(({ type }) => type === 'client-paused');
    const deeds = story.events
      .slice(paused + 1)
      .filter((event) => 'client' in event && event.client === 'B' && event.type !== 'command-executed');
    expect(deeds[0]).toEqual({ type: 'client-resumed', timeUs: 1_000_000, client: 'B' });
    expect(deeds.find(({ type }) => type === 'acquire-failed')).toMatchObject({ code: 'aborted', timeUs: 1_000_000 });
  });

  it('calls off scripts and faults that were still to start', async () => {
    // A acquires something in the probes only, and what is due after the end is due too late.
    const story = await storyOf({
      workload: [
        { clients: 'A', steps: [{ rest: '10s' }] },
        { clients: 'B', after: { event: 'acquire-granted', client: 'A' }, steps: [{ acquire: { resource: 'b' } }] },
        { clients: 'B', at: '900ms', steps: [{ acquire: { resource: 'late' } }] },
      ],
      faults: [
        { fault: 'crash', nodes: 'all', after: { event: 'acquire-granted', client: 'B', delay: '200ms' } },
        { fault: 'crash', nodes: 'all', after: { event: 'acquire-granted', client: 'A' } },
      ],
      limit: '1s',
    });
    expect(story.one('healed').timeUs).toBe(1_000_000);
    expect(story.all('acquire-granted', { client: 'A', phase: 'probe' })).toHaveLength(2);
    expect(story.all('acquire-invoked', { phase: 'workload' })).toHaveLength(1);
    expect(story.all('fault-started')).toEqual([]);
    expect(story.all('node-crashed')).toEqual([]);
  });

  it('leaves operations pending in the history that were not settled', async () => {
    const story = await storyOf({
      workload: [{ clients: 'A', steps: [{ acquire: { resource: 'r' } }, 'write', 'release'] }],
      // Not a fault that healing ends: what is on the way stays on the way.
      network: { latency: '10s' },
      settings: { nodes: 3, ttl: '300s', nodeTimeout: '100s' },
      limit: '35s',
    });
    const sent = story.one('write-sent');
    expect(sent.timeUs).toBe(20_000_000);
    expect(story.one('write-accepted').timeUs).toBe(30_000_000);
    // Its answer comes back at 40 s, and nobody goes on from there.
    expect(story.all('release-invoked', { client: 'A', lease: sent.lease })).toEqual([]);
  });
});

describe('after healing', () => {
  it('the probes begin when every key must be gone, by the slowest clock that the settings allow', async () => {
    const story = await storyOf({
      settings: { nodes: 3, ttl: '1s', clockDriftFactor: 0.1 },
      workload: [{ clients: 'A', steps: [{ acquire: { resource: 'r', ttl: '4s' } }, { extend: '6s' }] }],
    });
    const { timeUs: healedUs } = story.one('healed');
    const [probe] = story.all('acquire-invoked', { phase: 'probe' });
    expect((probe?.timeUs ?? 0) - healedUs - 6_610_000).toBeGreaterThanOrEqual(0);
    expect((probe?.timeUs ?? 0) - healedUs - 6_610_000).toBeLessThanOrEqual(1);
    expect(story.all('acquire-granted', { phase: 'probe' })).toHaveLength(1);
  });

  it('each resource is tried by one client after the other until one is granted', async () => {
    // A cannot get it: what it asks for is over before it gets an answer.
    const story = await storyOf({
      settings: { nodes: 3, ttl: '100ms', retryCount: 0 },
      clients: { A: { rate: 1000 }, B: null, C: null },
      workload: [
        { clients: 'B', steps: [{ acquire: { resource: 'r' } }, 'release'] },
        { clients: 'C', steps: [{ acquire: { resource: '{client}' } }, 'release'] },
      ],
    });
    const probes = story.all('acquire-invoked', { phase: 'probe' });
    expect(probes.map(({ client, resource }) => `${client} ${resource}`)).toEqual(['A r', 'B r', 'A C', 'B C']);
    const granted = story.all('acquire-granted', { phase: 'probe' });
    expect(granted.map(({ client, resource }) => `${client} ${resource}`)).toEqual(['B r', 'B C']);
    // They give back what they took, and do no work.
    expect(
      story
        .all('release-done')
        .slice(-2)
        .map(({ lease }) => lease),
    ).toEqual(granted.map(({ operation }) => operation));
    expect(story.all('section-entered')).toHaveLength(2);
  });

  it('a lock that nobody can have is for the checkers to judge: the run ends, even if clients would try for ever', async () => {
    // The clocks of the nodes are set back by an hour, so that the key outlives everything.
    const story = await storyOf({
      settings: { nodes: 3, ttl: '1s', retryCount: -1, retryDelay: '100ms' },
      workload: [{ clients: 'A', steps: [{ acquire: { resource: 'r' } }, { rest: '10ms' }] }],
      faults: [{ fault: 'clock-jump', nodes: 'all', by: '-1h', at: '5ms' }],
      limit: '1s',
    });
    expect(story.all('acquire-failed', { phase: 'probe', code: 'contended' }).map(({ client }) => client)).toEqual([
      'A',
      'B',
    ]);
    expect(story.events.at(-1)).toMatchObject({ type: 'run-ended', reason: 'completed' });
  });

  it('messages that were sent last still arrive', async () => {
    const story = await storyOf();
    const last = story.all('command-sent').at(-1);
    expect(last?.kind).toBe('release');
    expect(story.one('reply-received', { command: last?.command ?? 0 }).reply).toBe('released');
  });
});

describe('events while they happen', () => {
  it('are handed on exactly once, in order, whenever they are looked at', async () => {
    const atOnce: HistoryEvent[] = [];
    const stretches: Iterable<HistoryEvent>[] = [];
    await simulatedTestbed.run(scenarioOf(), { seed: 1, onEvents: (events) => atOnce.push(...events) });
    const history = await simulatedTestbed.run(scenarioOf(), { seed: 1, onEvents: (events) => stretches.push(events) });
    const all = Array.from({ length: history.length }, (_, index) => history.at(index));
    expect(stretches.length).toBeGreaterThan(3);
    expect(atOnce).toEqual(all);
    expect(stretches.flatMap((events) => [...events])).toEqual(all);
  });

  it('that cannot be taken end the run with that error', async () => {
    const run = simulatedTestbed.run(scenarioOf(), {
      seed: 1,
      onEvents: () => {
        throw new Error('the disk is full');
      },
    });
    await expect(run).rejects.toThrow('the disk is full');
  });
});

describe('a run that is interrupted', () => {
  it('by a signal that has fired already does nothing', async () => {
    const history = await simulatedTestbed.run(scenarioOf(), { seed: 1, signal: AbortSignal.abort() });
    expect(Array.from({ length: history.length }, (_, index) => history.at(index).type)).toEqual([
      'run-started',
      'run-ended',
    ]);
    expect(history.at(1)).toMatchObject({ timeUs: 0, reason: 'interrupted' });
  });

  it('by a signal ends early, with what has happened and the reason', async () => {
    const long = scenarioOf({
      workload: [{ repeat: 100_000, steps: [{ acquire: { resource: '{client}' } }, 'release'] }],
      limit: '10h',
    });
    const controller = new AbortController();
    let seen = 0;
    const history = await simulatedTestbed.run(long, {
      seed: 1,
      signal: controller.signal,
      onEvents: (events) => {
        seen += [...events].length;
        if (seen > 1000) controller.abort();
      },
    });
    expect(history.at(history.length - 1)).toMatchObject({ type: 'run-ended', reason: 'interrupted' });
    expect(seen).toBe(history.length);
    expect(encodeHistory(history)).not.toContain('"healed"');
  });
});

describe('a defect', () => {
  it('of the library ends the run, which rejects with it, after the history has said so', async () => {
    const defect = new TypeError('nobody expects this');
    const acquire = vi.spyOn(Redlock.prototype, 'acquire');
    acquire.mockImplementationOnce(() => Promise.reject(defect));
    const events: HistoryEvent[] = [];
    const run = simulatedTestbed.run(scenarioOf(), { seed: 1, onEvents: (some) => events.push(...some) });
    await expect(run).rejects.toBe(defect);
    expect(events.at(-1)).toEqual({ type: 'run-ended', timeUs: 0, reason: 'failed: nobody expects this' });
    expect(acquire).toHaveBeenCalled();
  });

  it('that is no error is told all the same', async () => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what is tested is that this is told too
    vi.spyOn(Redlock.prototype, 'acquire').mockImplementation(() => Promise.reject('a text'));
    await expect(simulatedTestbed.run(scenarioOf(), { seed: 1 })).rejects.toThrow('a text');
  });

  it('of the settings, too', async () => {
    const scenario = scenarioOf();
    const run = simulatedTestbed.run({ ...scenario, settings: { ...scenario.settings, retryCount: 0.5 } }, { seed: 1 });
    await expect(run).rejects.toThrow(InvalidOptionError);
  });
});

it('time passes even in a network without latency, where clients try again without a pause', async () => {
  const story = await storyOf({
    settings: { nodes: 3, ttl: '1s', retryCount: -1, retryDelay: 0, retryJitter: 0 },
    network: { latency: '0ms' },
    workload: [{ steps: [{ acquire: { resource: 'r' } }, { work: '1ms' }, 'release'] }],
  });
  expect(story.all('release-done', { lease: 1 })).toHaveLength(1);
  expect(story.one('healed').timeUs).toBeLessThan(10_000);
});
