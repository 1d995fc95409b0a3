import { describe, expect, it } from 'vitest';
import { BUSY, realStory, type RealStory, whyNoRealRuns } from './real-testing.ts';
import { FAKETIME_REMEDY, libfaketime } from '../processes/faketime.ts';

const obstacle = whyNoRealRuns();
const clockObstacle = obstacle ?? (libfaketime() === null ? `there is no libfaketime (${FAKETIME_REMEDY})` : null);

function titled(title: string, problem: string | null): string {
  return problem === null ? title : `${title}: ${problem}`;
}

/** Everything that began has ended, before the run called itself healed. */
function expectHealed(story: RealStory): void {
  const { timeUs: healedUs } = story.one('healed');
  for (const { fault } of story.all('fault-started')) {
    expect(story.one('fault-ended', { fault }).timeUs).toBeLessThanOrEqual(healedUs);
  }
  expect(story.events.at(-1)).toMatchObject({ type: 'run-ended', reason: 'completed' });
}

describe.skipIf(obstacle !== null)(titled('faults that hit who stands still, for real', obstacle), () => {
  it('wait for the end of a standstill that lasts as long as the workload, and hold up neither that nor the healing', async () => {
    const story = await realStory({
      workload: [{ ...BUSY, clients: 'A', repeat: 5 }],
      faults: [
        { fault: 'server-pause', nodes: 'n1' },
        { fault: 'client-pause', clients: 'B' },
        { fault: 'flush', nodes: 'all' },
        { fault: 'client-clock-jump', clients: 'B', by: '1s' },
        { fault: 'flush', nodes: 'n1', after: { event: 'fault-started', kind: 'server-pause' } },
        { fault: 'eviction', nodes: 'n1', after: { event: 'fault-started', kind: 'server-pause' } },
        { fault: 'client-clock-drift', clients: 'B', rate: 2, after: { event: 'fault-started', kind: 'client-pause' } },
      ],
      limit: '30s',
    });
    expectHealed(story);
    const { timeUs: endedUs } = story.one('workload-ended');
    expect(endedUs).toBeLessThan(15_000_000);
    expect(story.all('release-done', { client: 'A' }).length).toBeGreaterThanOrEqual(5);
    const { timeUs: pausedUs } = story.one('node-paused', { node: 'n1' });
    const { timeUs: resumedUs } = story.one('node-resumed', { node: 'n1' });
    expect(resumedUs).toBeGreaterThanOrEqual(endedUs);
    // At the beginning the standstill comes last, as if all began in the same instant.
    expect(story.started('flush', 0).timeUs).toBeLessThanOrEqual(pausedUs);
    expect(story.started('client-clock-jump').timeUs).toBeLessThanOrEqual(
      story.one('client-paused', { client: 'B' }).timeUs,
    );
    expect(story.started('flush', 1).timeUs).toBeGreaterThanOrEqual(resumedUs);
    expect(story.started('eviction').timeUs).toBeGreaterThanOrEqual(resumedUs);
    expect(story.started('client-clock-drift').timeUs).toBeGreaterThanOrEqual(
      story.one('client-resumed', { client: 'B' }).timeUs,
    );
  });

  it('are healed whatever else the node went through: memory that is short over a pause, a crash and a restart', async () => {
    const story = await realStory({
      settings: { nodes: 1, ttl: '300ms' },
      clients: { A: null },
      workload: [{ ...BUSY, clients: 'A' }],
      faults: [
        { fault: 'eviction', nodes: 'n1', at: '100ms' },
        { fault: 'server-pause', nodes: 'n1', at: '200ms' },
        { fault: 'flush', nodes: 'n1', at: '300ms' },
        { fault: 'crash', nodes: 'n1', how: 'terminate', at: '400ms', for: '200ms' },
        { fault: 'server-pause', nodes: 'n1', after: { event: 'node-restarted', delay: '100ms' } },
        { fault: 'flush', nodes: 'n1', after: { event: 'node-paused', nth: 2 } },
        { fault: 'crash', nodes: 'n1', after: { event: 'node-paused', nth: 2, delay: '100ms' } },
      ],
      limit: '2s',
    });
    expectHealed(story);
    expect(story.all('node-crashed')).toHaveLength(2);
    expect(story.all('node-restarted')).toHaveLength(2);
    // Nothing of it is left: there is memory, and nobody stands still.
    expect(story.all('acquire-granted', { phase: 'probe' })).toHaveLength(1);
  });
});

describe.skipIf(obstacle !== null)(titled('a server that gets to a command late, for real', obstacle), () => {
  it.each([
    { fault: 'reset' },
    { fault: 'partition', direction: 'request', for: '200ms' },
    { fault: 'partition', direction: 'reply', for: '200ms' },
  ] as const)('loses its answer if the connection has broken meanwhile by %o', async (broken) => {
    const story = await realStory({
      settings: { nodes: 1, ttl: '5s', nodeTimeout: '3s' },
      clients: { A: null, B: null },
      workload: [
        {
          clients: 'A',
          after: { event: 'node-paused', delay: '50ms' },
          steps: [{ acquire: { resource: 'r', retryCount: 0 } }],
        },
        // A gives up at once when the connection breaks: with the workload the pause would be over too.
        { clients: 'B', after: { event: 'node-resumed' }, steps: [{ rest: '1ms' }] },
      ],
      faults: [
        { fault: 'server-pause', nodes: 'n1', at: '200ms', for: '1s' },
        { ...broken, clients: 'A', nodes: 'n1', after: { event: 'node-paused', delay: '300ms' } },
      ],
    });
    const { fault } = story.started(broken.fault);
    const command = story.first('command-sent', { kind: 'acquire' });
    const { timeUs: brokenUs } = story.one('fault-ended', { fault });
    const { timeUs: ranUs } = story.one('command-executed', { command: command.command });
    expect(brokenUs).toBeLessThan(story.one('node-resumed').timeUs);
    expect(command.timeUs).toBeLessThan(story.started(broken.fault).timeUs);
    expect(ranUs).toBeGreaterThan(brokenUs);
    expect(story.answerTo(command)).toBeUndefined();
    expect(story.all('message-lost', { command: command.command })).toMatchObject([
      { direction: 'reply', fault, timeUs: ranUs },
    ]);
  });
});

describe.skipIf(clockObstacle !== null)(titled('a clock that steps to and fro, for real', clockObstacle), () => {
  it('does so on every node that goes on, through pauses and crashes of others, and is right in the end', async () => {
    const story = await realStory({
      workload: [BUSY],
      faults: [
        { fault: 'clock-strobe', nodes: ['n1', 'n2'], by: '10s', every: '30ms' },
        { fault: 'server-pause', nodes: 'n1', at: '300ms', for: '500ms' },
        { fault: 'clock-strobe', nodes: 'n1', by: '5s', every: '20ms', at: '400ms', for: '100ms' },
        { fault: 'crash', nodes: 'n1', after: { event: 'node-resumed', delay: '200ms' }, for: '200ms' },
      ],
      limit: '2500ms',
    });
    expectHealed(story);
    const { timeUs: fromUs } = story.one('node-paused', { node: 'n1' });
    const { timeUs: untilUs } = story.one('node-resumed', { node: 'n1' });
    const steps = (node: string): number =>
      story.all('node-clock-changed', { node }).filter(({ timeUs }) => timeUs > fromUs && timeUs < untilUs).length;
    expect([steps('n1'), steps('n2') > 3]).toEqual([0, true]);
    for (const node of ['n1', 'n2']) {
      const changes = story.all('node-clock-changed', { node });
      expect(changes.length).toBeGreaterThan(4);
      expect(changes.reduce((sum, { byMs }) => sum + byMs, 0)).toBe(0);
    }
  });
});
