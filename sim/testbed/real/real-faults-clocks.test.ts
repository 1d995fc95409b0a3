import { beforeAll, describe, expect, it } from 'vitest';
import { FAKETIME_REMEDY, libfaketime } from '../processes/faketime.ts';
import { BUSY, realStory, type RealStory, sideBySide, whyNoRealRuns } from './real-testing.ts';

const obstacle = whyNoRealRuns();
const nodeObstacle = obstacle ?? (libfaketime() === null ? `there is no libfaketime (${FAKETIME_REMEDY})` : null);

function titled(title: string, problem: string | null): string {
  return problem === null ? title : `${title}: ${problem}`;
}

describe.skipIf(nodeObstacle !== null)(titled('faults of the clocks of nodes, for real', nodeObstacle), () => {
  let forth: RealStory;
  let back: RealStory;

  beforeAll(async () => {
    [forth, back] = (await sideBySide(2, [
      // H takes a lock for 4 s, and each node loses its key before that in another way.
      () =>
        realStory({
          clients: { H: null, A: null },
          workload: [
            { clients: 'H', steps: [{ acquire: { resource: 'held', ttl: '4s' } }] },
            { ...BUSY, clients: 'A' },
          ],
          faults: [
            { fault: 'clock-jump', nodes: 'n1', by: '11s', after: { event: 'acquire-granted', client: 'H' } },
            { fault: 'clock-drift', nodes: 'n2', rate: 20, for: '300ms', after: { event: 'fault-ended' } },
            {
              fault: 'clock-strobe',
              nodes: 'n3',
              by: '11s',
              every: '50ms',
              for: '220ms',
              after: { event: 'fault-ended', nth: 2 },
            },
          ],
          limit: '2500ms',
        }),
      // A takes a lock for 400 ms, and two nodes keep its key for more than a second.
      () =>
        realStory({
          settings: { nodes: 3, ttl: '400ms' },
          workload: [
            { clients: 'A', steps: [{ acquire: { resource: 'r' } }] },
            {
              clients: 'B',
              after: { event: 'fault-ended', delay: '500ms' },
              steps: [{ acquire: { resource: 'r', retryCount: 0 } }],
            },
          ],
          faults: [
            { fault: 'clock-jump', nodes: ['n1', 'n2'], by: '-2s', after: { event: 'acquire-granted', client: 'A' } },
            { fault: 'clock-drift', nodes: 'n3', rate: 3, at: '0ms', for: '400ms' },
            { fault: 'clock-drift', nodes: 'n3', rate: 0.5, at: '200ms', for: '400ms' },
          ],
          limit: '10s',
        }),
    ])) as [RealStory, RealStory];
  });

  function lostOf(node: string): number[] {
    return forth.all('key-lost', { node, key: 'lock:held' }).map(({ timeUs }) => timeUs);
  }

  it('clock-jump ends the keys of its node at once, and those of no other', () => {
    const jump = forth.started('clock-jump');
    const [lostUs = 0, ...more] = lostOf('n1');
    expect(more).toEqual([]);
    expect(lostUs).toBeLessThanOrEqual(jump.timeUs);
    expect(forth.all('node-clock-changed', { node: 'n1' }).map(({ byMs, rate }) => [byMs, rate])).toEqual([
      [11_000, 1],
    ]);
    for (const node of ['n2', 'n3']) for (const timeUs of lostOf(node)) expect(timeUs).toBeGreaterThan(jump.timeUs);
  });

  it('clock-drift makes keys age faster until it is healed', () => {
    const { fault, timeUs: from } = forth.started('clock-drift');
    const { timeUs: until } = forth.one('fault-ended', { fault });
    const [lostUs = 0] = lostOf('n2');
    const { timeUs: grantedUs } = forth.first('acquire-granted', { client: 'H' });
    // In true time it had still some three seconds.
    expect(lostUs - grantedUs).toBeLessThan(4_000_000);
    expect(lostUs).toBeGreaterThan(from);
    expect(lostUs).toBeLessThanOrEqual(until);
    expect(forth.all('node-clock-changed', { node: 'n2' }).map(({ rate }) => rate)).toEqual([20, 1]);
  });

  it('clock-strobe steps the clock forth and back, and leaves it right', () => {
    const steps = forth.all('node-clock-changed', { node: 'n3' }).map(({ byMs }) => byMs);
    expect(steps.length).toBeGreaterThanOrEqual(2);
    expect(steps.length % 2).toBe(0);
    expect(steps).toEqual(steps.map((_, index) => (index % 2 === 0 ? 11_000 : -11_000)));
    expect(lostOf('n3')).toHaveLength(1);
  });

  it('nodes whose clocks were moved serve on', () => {
    const last = forth.all('fault-ended').at(-1)?.timeUs ?? 0;
    for (const node of ['n1', 'n2', 'n3']) expect(forth.grantedAfter(last, 'A', node)).toBeDefined();
  });

  it('clock-jump back lets keys live longer', () => {
    const { operation } = back.first('acquire-invoked', { client: 'B' });
    const { value } = back.one('attempt-started', { operation });
    const replies = back.all('command-executed', { kind: 'acquire', value });
    expect(replies.map(({ node, reply }) => `${node} ${reply}`).sort()).toEqual(['n1 held', 'n2 held', 'n3 granted']);
  });

  it('of two drifts that overlap, the newest that is not healed holds', () => {
    const rates = back.all('node-clock-changed', { node: 'n3' }).map(({ rate }) => rate);
    expect(rates).toEqual([3, 0.5, 0.5, 1]);
  });
});

describe.skipIf(obstacle !== null)(titled('faults of the clocks of clients, for real', obstacle), () => {
  let story: RealStory;

  beforeAll(async () => {
    story = await realStory({
      // By a clock that is four times as fast, a busy machine takes four times as long to answer.
      settings: { nodes: 3, ttl: '2s', nodeTimeout: '800ms', fencing: true },
      clients: { A: null, B: null, C: { rate: 1.5 } },
      workload: [
        { clients: 'A', steps: [{ acquire: { resource: 'long' } }, { work: '4s' }] },
        {
          clients: ['B', 'C'],
          repeat: 100_000,
          steps: [{ acquire: { resource: '{client}', retryCount: 0 } }, { work: '40ms' }, 'release', { rest: '5ms' }],
        },
      ],
      faults: [
        { fault: 'client-clock-drift', clients: 'A', rate: 10, at: '300ms', for: '2s' },
        { fault: 'client-clock-drift', clients: 'C', rate: 4, at: '300ms', for: '1s' },
        { fault: 'client-clock-drift', clients: 'C', rate: 3, at: '1s', for: '1s' },
        { fault: 'client-clock-jump', clients: 'B', by: '1h', at: '1200ms' },
      ],
      limit: '3s',
    });
  });

  it('client-clock-jump steps the wall clock, by which a client draws its tokens, and nothing else', () => {
    const { timeUs } = story.one('client-clock-changed', { client: 'B' });
    const aheadHours = (lease: { readonly token: number | null; readonly timeUs: number }): number =>
      ((lease.token ?? 0) - lease.timeUs) / 3_600_000_000;
    const leases = story.beforeHealing().all('acquire-granted', { client: 'B' });
    const before = leases.filter((lease) => lease.timeUs < timeUs);
    // An acquire that was under way drew its token before.
    const after = leases.filter((lease) => lease.timeUs > timeUs).slice(1);
    expect(before.length).toBeGreaterThan(2);
    expect(after.length).toBeGreaterThan(2);
    const epoch = aheadHours(before[0] as (typeof before)[0]);
    for (const lease of before) expect(aheadHours(lease) - epoch).toBeCloseTo(0, 3);
    for (const lease of after) expect(aheadHours(lease) - epoch).toBeCloseTo(1, 3);
    expect(story.one('client-clock-changed', { client: 'B' })).toMatchObject({ clock: 'wall', byMs: 3_600_000 });
  });

  it('client-clock-drift makes timers faster that run already', () => {
    const { lease, timeUs } = story.one('section-entered', { client: 'A' });
    const workedUs = story.one('section-left', { lease }).timeUs - timeUs;
    // 300 ms of its 4 s were over, and the others pass in 370.
    expect(workedUs).toBeGreaterThan(600_000);
    expect(workedUs).toBeLessThan(2_000_000);
  });

  it('client-clock-drift makes leases shorter in true time', () => {
    const rateOf = ({
      validUntilUs,
      timeUs,
      validityMs,
    }: {
      validUntilUs: number;
      timeUs: number;
      validityMs: number;
    }) => (validityMs * 1000) / (validUntilUs - timeUs);
    const changes = story.all('client-clock-changed', { client: 'C', clock: 'monotonic' });
    expect(changes.map(({ rate }) => rate)).toEqual([4, 3, 3, 1.5]);
    const [fast, slower, , own] = changes.map(({ timeUs }) => timeUs) as [number, number, number, number];
    const leases = story.beforeHealing().all('acquire-granted', { client: 'C' });
    for (const lease of leases) {
      const rate = lease.timeUs < fast || lease.timeUs > own ? 1.5 : lease.timeUs < slower ? 4 : 3;
      expect(rateOf(lease)).toBeCloseTo(rate, 0);
    }
    expect(leases.filter(({ timeUs }) => timeUs > fast && timeUs < slower).length).toBeGreaterThan(2);
  });

  it('timers never come early by the clock of their client', () => {
    for (const { lease, timeUs } of story.beforeHealing().all('section-entered', { client: 'C' })) {
      const left = story.all('section-left', { lease })[0]?.timeUs;
      if (left !== undefined) expect(left - timeUs).toBeGreaterThanOrEqual(40_000 / 4);
    }
    for (const { lease, timeUs } of story.beforeHealing().all('section-entered', { client: 'B' })) {
      const left = story.all('section-left', { lease })[0]?.timeUs;
      if (left !== undefined) expect(left - timeUs).toBeGreaterThanOrEqual(40_000);
    }
  });
});
