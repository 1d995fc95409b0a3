import { describe, expect, it } from 'vitest';
import { type ScenarioInput, type Story, storyOf } from './simulated-testing.ts';

/** A takes one lock for 10 s, and B takes and gives back its own all the while. */
const HOLDING: ScenarioInput['workload'] = [
  { clients: 'A', steps: [{ acquire: { resource: 'held', ttl: '10s' } }, { work: '900ms' }] },
  {
    clients: 'B',
    repeat: 45,
    steps: [{ acquire: { resource: 'own', retryCount: 0 } }, { work: '10ms' }, 'release', { rest: '5ms' }],
  },
];

/** How long B was in its section each time, in microseconds. */
function sectionsUs(story: Story): number[] {
  return story
    .all('section-entered', { client: 'B' })
    .map(({ lease, timeUs }) => story.one('section-left', { lease }).timeUs - timeUs);
}

describe('clock-jump', () => {
  it('of a node ends its keys at once, and those of no other', async () => {
    const story = await storyOf({
      workload: HOLDING,
      faults: [{ fault: 'clock-jump', nodes: ['n1', 'n2'], by: '11s', at: '100ms' }],
    });
    const lost = story.beforeHealing().all('key-lost', { key: 'lock:held' });
    expect(lost.map(({ node, cause, timeUs }) => [node, cause, timeUs])).toEqual([
      ['n1', 'expired', 100_000],
      ['n2', 'expired', 100_000],
    ]);
    expect(
      story.all('node-clock-changed').map(({ node, byMs, rate, offsetMs }) => [node, byMs, rate, offsetMs]),
    ).toEqual([
      ['n1', 11_000, 1, 11_000],
      ['n2', 11_000, 1, 11_000],
    ]);
    expect(story.one('fault-ended').timeUs).toBe(100_000);
  });

  it('back lets keys live longer', async () => {
    const story = await storyOf({
      settings: { nodes: 3, ttl: '300ms' },
      workload: [
        { clients: 'A', steps: [{ acquire: { resource: 'r' } }] },
        { clients: 'B', at: '400ms', steps: [{ acquire: { resource: 'r', retryCount: 0 } }] },
      ],
      faults: [{ fault: 'clock-jump', nodes: ['n1', 'n2'], by: '-200ms', at: '100ms' }],
    });
    expect(
      story.all('command-executed', { client: 'B', kind: 'acquire' }).map(({ node, reply }) => [node, reply]),
    ).toEqual([
      ['n1', 'held'],
      ['n2', 'held'],
      ['n3', 'granted'],
    ]);
  });
});

describe('clock-drift', () => {
  it('of a node makes its keys age faster, until it is healed', async () => {
    const story = await storyOf({
      workload: [
        { clients: 'A', steps: [{ acquire: { resource: 'r', ttl: '1s' } }, { work: '900ms' }] },
        // Looks at the keys, so that their end is noticed.
        { clients: 'B', repeat: 100, steps: [{ acquire: { resource: 'r', retryCount: 0 } }, { rest: '1ms' }] },
        { clients: 'B', repeat: 500, steps: [{ rest: '1ms' }, { acquire: { resource: 'r', retryCount: 0 } }] },
      ],
      faults: [{ fault: 'clock-drift', nodes: 'n1', rate: 5, at: '100ms', for: '100ms' }],
      limit: '900ms',
    });
    // By 200 ms its clock has gained 400 ms.
    const { timeUs } = story.first('key-lost', { node: 'n1' });
    expect(timeUs).toBeGreaterThan(601_000);
    expect(timeUs).toBeLessThan(610_000);
    expect(
      story
        .beforeHealing()
        .all('key-lost')
        .map(({ node }) => node),
    ).toEqual(['n1']);
    expect(story.all('node-clock-changed').map((event) => [event.timeUs, event.node, event.rate])).toEqual([
      [100_000, 'n1', 5],
      [200_000, 'n1', 1],
    ]);
  });

  it('is over when the last of two that overlap is healed', async () => {
    const story = await storyOf({
      faults: [
        { fault: 'clock-drift', nodes: 'n1', rate: 5, at: '100ms', for: '100ms' },
        { fault: 'clock-drift', nodes: 'n1', rate: 0.5, at: '150ms', for: '200ms' },
      ],
    });
    expect(story.all('node-clock-changed').map(({ timeUs, rate, offsetMs }) => [timeUs, rate, offsetMs])).toEqual([
      [100_000, 5, 0],
      [150_000, 0.5, 200],
      [200_000, 0.5, 175],
      [350_000, 1, 100],
    ]);
  });
});

describe('clock-strobe', () => {
  it.each([
    ['in the middle of a step', '90ms', [100, 120, 140, 160, 180, 190], [2000, -2000, 2000, -2000, 2000, -2000]],
    ['when the clock is right', '110ms', [100, 120, 140, 160, 180, 200], [2000, -2000, 2000, -2000, 2000, -2000]],
  ])(
    'steps the clock forth and back, and leaves it right when it is healed %s',
    async (_title, duration, timesMs, steps) => {
      const story = await storyOf({
        faults: [{ fault: 'clock-strobe', nodes: 'n1', by: '2s', every: '20ms', at: '100ms', for: duration }],
      });
      const changes = story.all('node-clock-changed');
      expect(changes.map(({ timeUs }) => timeUs / 1000)).toEqual(timesMs);
      expect(changes.map(({ byMs }) => byMs)).toEqual(steps);
      expect(new Set(changes.map(({ node, rate }) => `${node} ${rate}`))).toEqual(new Set(['n1 1']));
    },
  );

  it('ends keys while the clock is ahead', async () => {
    const story = await storyOf({
      workload: HOLDING,
      faults: [{ fault: 'clock-strobe', nodes: 'n3', by: '11s', every: '20ms', at: '100ms', for: '100ms' }],
    });
    expect(story.one('key-lost', { key: 'lock:held', node: 'n3' }).timeUs).toBe(100_000);
    expect(story.beforeHealing().all('key-lost', { node: 'n1' })).toEqual([]);
  });
});

describe('client-clock-jump', () => {
  it('steps the wall clock of a client, by which it draws its tokens, and nothing else', async () => {
    const story = await storyOf({
      settings: { nodes: 3, ttl: '1s', fencing: true },
      workload: HOLDING,
      faults: [{ fault: 'client-clock-jump', clients: 'B', by: '1h', at: '100ms' }],
    });
    const tokenAhead = (lease: { readonly token: number | null; readonly timeUs: number }): number =>
      ((lease.token ?? 0) - lease.timeUs) / 3_600_000_000;
    const leases = story.beforeHealing().all('acquire-granted', { client: 'B' });
    const before = leases.filter(({ timeUs }) => timeUs < 100_000);
    const after = leases.filter(({ timeUs }) => timeUs > 110_000);
    expect(before.length).toBeGreaterThan(2);
    expect(after.length).toBeGreaterThan(20);
    const epoch = tokenAhead(before[0] as (typeof before)[0]);
    for (const lease of before) expect(tokenAhead(lease) - epoch).toBeCloseTo(0, 3);
    for (const lease of after) expect(tokenAhead(lease) - epoch).toBeCloseTo(1, 3);
    expect(new Set(sectionsUs(story))).toEqual(new Set([10_000]));
    expect(story.all('client-clock-changed').map(({ client, clock, byMs }) => [client, clock, byMs])).toEqual([
      ['B', 'wall', 3_600_000],
    ]);
  });
});

describe('client-clock-drift', () => {
  it('makes the timers of a client faster, those that run already too, and its leases shorter', async () => {
    const story = await storyOf({
      workload: HOLDING,
      faults: [{ fault: 'client-clock-drift', clients: ['A', 'B'], rate: 2, at: '100ms', for: '200ms' }],
    });
    // The 900 ms of work of A pass in 100 ms, 100 true ms for 200, and 600.
    const { lease, timeUs } = story.one('section-entered', { client: 'A' });
    expect(story.one('section-left', { lease }).timeUs - timeUs).toBe(700_000);
    const of = (fromMs: number, untilMs: number): Set<number> => new Set(sectionsUs(story.between(fromMs, untilMs)));
    expect(of(0, 95)).toEqual(new Set([10_000]));
    expect(sectionsUs(story).filter((us) => us === 5000).length).toBeGreaterThan(10);
    const validity = ({
      validUntilUs,
      timeUs,
      validityMs,
    }: {
      validUntilUs: number;
      timeUs: number;
      validityMs: number;
    }): number => (validUntilUs - timeUs) / validityMs;
    const leases = story.beforeHealing().all('acquire-granted', { client: 'B' });
    const fast = leases.filter(({ timeUs }) => timeUs > 105_000 && timeUs < 300_000);
    const right = leases.filter(({ timeUs }) => timeUs < 100_000 || timeUs > 305_000);
    expect(fast.length).toBeGreaterThan(10);
    expect(right.length).toBeGreaterThan(10);
    for (const lease of fast) expect(validity(lease)).toBeCloseTo(500, 1);
    for (const lease of right) expect(validity(lease)).toBeCloseTo(1000, 1);
  });

  it('is over when the last of two that overlap is healed, and leaves the client its own rate', async () => {
    const story = await storyOf({
      clients: { A: { rate: 1.5 } },
      faults: [
        { fault: 'client-clock-drift', clients: 'A', rate: 2, at: '100ms', for: '100ms' },
        { fault: 'client-clock-drift', clients: 'A', rate: 3, at: '150ms', for: '100ms' },
      ],
    });
    expect(story.all('client-clock-changed', { clock: 'monotonic' }).map(({ timeUs, rate }) => [timeUs, rate])).toEqual(
      [
        [100_000, 2],
        [150_000, 3],
        [200_000, 3],
        [250_000, 1.5],
      ],
    );
  });
});
