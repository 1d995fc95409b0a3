import { describe, expect, it } from 'vitest';
import type { ScenarioInput } from '../testbed/simulated/simulated-testing.ts';
import { changed, type Events, eventsOf, misconduct, without } from './conduct-testing.ts';

type AcquireInput = Extract<
  NonNullable<ScenarioInput['workload']>[number]['steps'][number],
  { acquire: unknown }
>['acquire'];

/** A holds the lock for 700 ms; B tries as it is told. */
function trying(
  step: Partial<AcquireInput>,
  settings: Partial<ScenarioInput['settings']> = {},
): Partial<ScenarioInput> {
  return {
    settings: { nodes: 3, ttl: '1s', nodeTimeout: '50ms', retryDelay: '50ms', retryJitter: '0ms', ...settings },
    workload: [
      { clients: 'A', steps: [{ acquire: { resource: 'r' } }, { work: '700ms' }, 'release'] },
      { clients: 'B', at: '20ms', steps: [{ acquire: { resource: 'r', ...step } }, 'release'] },
    ],
  };
}

function of(found: readonly string[], rule: string): string[] {
  return found.filter((each) => each.startsWith(`${rule}: `));
}

describe('attempts', () => {
  it.each<[string, Partial<ScenarioInput>]>([
    ['three retries', trying({ retryCount: 3 })],
    ['the retries that are usual', trying({})],
    ['retries without end', trying({ retryCount: -1 })],
    ['delays of its own', trying({ retryCount: 2, retryDelay: '10ms', retryJitter: '30ms' })],
    ['no patience', trying({ retryCount: -1, giveUpAfter: '120ms' })],
    ['a fast clock', { ...trying({ retryCount: 3 }), clients: { A: null, B: { rate: 1.01 } } }],
    [
      'a pause between two attempts',
      { ...trying({ retryCount: 3 }), faults: [{ fault: 'client-pause', clients: 'B', at: '60ms', for: '200ms' }] },
    ],
    ['a workload that is cut off', { ...trying({ retryCount: -1 }), limit: '200ms' }],
  ])('are as many as they were to be, as far apart, with %s', async (_, changes) => {
    expect(misconduct(await eventsOf(changes), changes)).toEqual([]);
  });

  const RETRYING = trying({ retryCount: 2 });
  it.each<[string, Partial<ScenarioInput>, string]>([
    ['gives up too soon', trying({ retryCount: 3 }), 'gave up after 3 attempts, which is not what it was told to make'],
    ['gives up at all', trying({ retryCount: -1 }), 'gave up after 3 attempts'],
    ['tries too often', trying({ retryCount: 1 }), 'began attempt 3 at'],
    ['waits too long', trying({ retryCount: 2, retryDelay: '40ms' }), 'waited 50 ms before attempt 2'],
    ['does not wait long enough', trying({ retryCount: 2, retryDelay: '60ms' }), 'waited 50 ms before attempt 2'],
    [
      'does not heed its signal',
      trying({ retryCount: 2, giveUpAfter: '20ms' }),
      'after its deadline or its caller’s patience',
    ],
  ])('are wrong if the acquire %s', async (_, told, message) => {
    const found = of(misconduct(await eventsOf(RETRYING), told), 'attempts');
    expect(found).toEqual([expect.stringContaining(message)]);
  });

  it.each<[string, (events: Events) => Events, string]>([
    [
      'never ends',
      (events) => without(events, 'acquire-failed', { client: 'B' }),
      'Acquire 2, which B called at 20 ms, never ended.',
    ],
    [
      'tells of an attempt that it did not make',
      (events) => changed(events, 'acquire-granted', { client: 'A', phase: 'workload' }, { attempts: 2 }),
      'tells of 2 attempts, and made 1',
    ],
    [
      'is aborted by nobody',
      (events) => changed(events, 'acquire-failed', { client: 'B' }, { code: 'aborted' }),
      'was aborted at',
    ],
    [
      'fails for a strange reason',
      (events) => changed(events, 'acquire-failed', { client: 'B' }, { code: 'duplicate-node' }),
      'failed as duplicate-node',
    ],
    [
      'goes on when it is over',
      (events) => [
        ...events.filter(({ type }) => type !== 'run-ended'),
        { type: 'attempt-started', timeUs: 5_000_000, client: 'B', operation: 2, value: 'another' },
        { type: 'run-ended', timeUs: 5_000_000, reason: 'completed' },
      ],
      'for acquire 2, which was over',
    ],
    [
      'stores one value twice',
      (events) => {
        const [first] = events.filter((event) => event.type === 'attempt-started' && event.client === 'B');
        const { value } = first as { value: string };
        return changed(events, 'attempt-started', { client: 'B' }, { value });
      },
      'that an attempt before it had stored',
    ],
  ])('are wrong if the acquire %s', async (_, spoil, message) => {
    const found = of(misconduct(spoil(await eventsOf(RETRYING)), RETRYING), 'attempts');
    expect(found).toEqual([expect.stringContaining(message)]);
  });
});

describe('refusal', () => {
  it('is wrong of a time to live that may be had, and missing for one that a restart guard does not reckon with', async () => {
    const changes = trying({ retryCount: 2 });
    const events = await eventsOf(changes);
    const refused = changed(events, 'acquire-failed', { client: 'B' }, { code: 'invalid-option' });
    expect(of(misconduct(refused, changes), 'refusal')).toEqual([
      'refusal: Acquire 2, which B called at 20 ms, for 1000 ms, which is a time to live, ended as invalid-option.',
    ]);
    const guarded = trying({ retryCount: 2 }, { restartGuard: '500ms' });
    expect(of(misconduct(events, guarded), 'refusal')).toEqual([
      expect.stringMatching(
        /^refusal: Acquire 1, which A called at 0 ms, asked nodes for 1000 ms, which may not be had\.$/,
      ),
    ]);
  });
});
