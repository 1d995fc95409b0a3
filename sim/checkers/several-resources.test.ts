import { describe, expect, it } from 'vitest';
import { readTables } from '../history/tables/table-reader.ts';
import { checkAvailability } from './availability.ts';
import { checkCriticalSection } from './critical-section.ts';
import { checkDeadlockFreedom } from './deadlock-freedom.ts';
import { HistoryBuilder, indexesOf } from './history-builder.ts';
import { checkMutualExclusion } from './mutual-exclusion.ts';
import { checkResourceIntegrity } from './resource-integrity.ts';
import { checkTokenOrder } from './token-order.ts';

const AB = ['a', 'b'];
const BC = ['b', 'c'];

/** A lease of A on a and b, from 10 ms on, and one of B on other resources while that is valid. */
function leases(...others: readonly string[]): { run: HistoryBuilder; first: number; second: number } {
  const run = new HistoryBuilder();
  const first = run.grant({ client: 'A', resources: AB, grantedMs: 10, untilMs: 110 });
  const second = run.grant({ client: 'B', resources: others, grantedMs: 60, untilMs: 160 });
  return { run, first, second };
}

describe('leases on several resources', () => {
  it('exclude each other where they have a resource in common, and nowhere else', () => {
    const { run } = leases(...BC);
    const history = run.build();
    expect(checkMutualExclusion(history)).toEqual({
      property: 'mutual-exclusion',
      status: 'violated',
      count: 1,
      violations: [
        {
          message:
            'On "b", lease 2 of B was valid from 60 ms on, while lease 1 of A was valid until 110 ms: both of them for 50 ms.',
          events: indexesOf(history, ['acquire-granted']),
        },
      ],
    });
    expect(checkMutualExclusion(leases('c', 'd').run.build()).status).toBe('ok');
    expect(checkMutualExclusion(leases('b', 'a').run.build())).toMatchObject({ status: 'violated', count: 2 });
  });

  it('exclude leases on one of them, in whichever order', () => {
    const run = new HistoryBuilder();
    run.grant({ client: 'A', resource: 'b', grantedMs: 10, untilMs: 110 });
    run.grant({ client: 'B', resources: AB, grantedMs: 60, untilMs: 160 });
    expect(checkMutualExclusion(run.build()).status).toBe('violated');
  });

  it('last and end on all of them at once: by extensions, releases and clocks', () => {
    const run = new HistoryBuilder();
    const lease = run.grant({ client: 'A', resources: AB, grantedMs: 10, untilMs: 50 });
    run.extend(lease, 40, 45, 90).release(lease, 80, 85);
    run.grant({ client: 'B', resource: 'b', grantedMs: 80, untilMs: 180 });
    expect(checkMutualExclusion(run.build()).status).toBe('ok');
    const early = new HistoryBuilder();
    early.extend(early.grant({ client: 'A', resources: AB, grantedMs: 10, untilMs: 50 }), 40, 45, 90);
    early.grant({ client: 'B', resource: 'b', grantedMs: 79, untilMs: 180 });
    expect(checkMutualExclusion(early.build()).status).toBe('violated');
    const slowed = new HistoryBuilder();
    slowed.grant({ client: 'A', resources: AB, grantedMs: 10, untilMs: 50 });
    slowed.clock('A', 40, { rate: 0.5 });
    slowed.grant({ client: 'B', resource: 'b', grantedMs: 55, untilMs: 155 });
    expect(checkMutualExclusion(slowed.build()).status).toBe('violated');
  });

  it('have one section on each, and who is in it keeps others out of all', () => {
    const { run, first, second } = leases(...BC);
    run.section(first, 20, 70).section(second, 65, 100);
    expect(checkCriticalSection(run.build())).toMatchObject({ status: 'violated', count: 1 });
    const apart = leases(...BC);
    apart.run.section(apart.first, 20, 65).section(apart.second, 65, 100);
    expect(checkCriticalSection(apart.run.build()).status).toBe('ok');
  });

  it('have their tokens compared on each', () => {
    const run = new HistoryBuilder({ fencing: true });
    run.grant({ client: 'A', resource: 'a', grantedMs: 10, untilMs: 20, token: 9 });
    run.grant({ client: 'B', resource: 'b', grantedMs: 30, untilMs: 40, token: 4 });
    run.grant({ client: 'C', resources: AB, grantedMs: 50, untilMs: 60, token: 8 });
    run.grant({ client: 'A', resource: 'b', grantedMs: 70, untilMs: 80, token: 10 });
    expect(checkTokenOrder(run.build())).toMatchObject({
      status: 'violated',
      count: 1,
      violations: [{ message: expect.stringContaining('On "a", lease 3 of C carries token 8') as string }],
    });
  });

  it('have the writes to each resource held against the holders of that one', () => {
    const { run, first, second } = leases(...BC);
    run.write(first, 20, 'a').write(first, 20, 'b').write(second, 70, 'b').write(first, 80, 'a');
    expect(checkResourceIntegrity(run.build()).status).toBe('ok');
    run.write(first, 90, 'b');
    expect(checkResourceIntegrity(run.build())).toMatchObject({ status: 'violated', count: 1 });
  });

  it('contradict a write to a resource that they are not on', () => {
    const { run, first } = leases('c');
    expect(readTables(run.write(first, 20, 'c').build()).flaw).toContain('names c, which lease 1 is not on');
  });

  it('are to be locked again one by one, each of them', () => {
    const run = new HistoryBuilder();
    run.fail(run.invoke('A', 10, { resources: AB }), 20);
    run.healed(100);
    run.grant({ client: 'A', resource: 'a', phase: 'probe', grantedMs: 300, untilMs: 350 });
    expect(checkDeadlockFreedom(run.build()).status).toBe('unknown');
    const probe = run.invoke('A', 400, { resource: 'b', phase: 'probe' });
    run.fail(probe, 410, 'contended', 'probe');
    expect(checkDeadlockFreedom(run.build()).status).toBe('violated');
    run.grant({ client: 'B', resource: 'b', phase: 'probe', grantedMs: 500, untilMs: 550 });
    expect(checkDeadlockFreedom(run.build()).status).toBe('ok');
  });
});

describe('an acquire of several resources', () => {
  /** Adds an attempt of A from 20 to 40 ms to which nodes say so much on each resource. */
  function attempt(run: HistoryBuilder, replies: Readonly<Record<string, readonly string[]>>): HistoryBuilder {
    const operation = run.invoke('A', 20, { resources: AB });
    const [client, value] = ['A', run.valueOf(operation)];
    run.add({ type: 'attempt-started', timeUs: 20_000, client, operation, value });
    let command = 1000;
    for (const [node, said] of Object.entries(replies)) {
      AB.forEach((key, place) => {
        command += 1;
        run.add({ type: 'command-sent', timeUs: 20_000, command, client, node, kind: 'acquire', key, value });
        const reply = said[place];
        if (reply === undefined) return;
        run.add({ type: 'reply-received', timeUs: 30_000, command, client, node, reply });
      });
    }
    return run.fail(operation, 40);
  }

  const GRANTS = { n1: ['granted', 'granted'], n2: ['granted', 'granted'], n3: ['granted', 'granted'] };
  const MANY_PARTS = { n1: ['granted', 'granted'], n2: ['granted'], n3: ['granted'], n4: ['granted'], n5: ['granted'] };

  it('is denied without need where a quorum of nodes answered for all of them', () => {
    expect(checkAvailability(attempt(new HistoryBuilder(), GRANTS).build())).toMatchObject({
      status: 'violated',
      violations: [
        { message: expect.stringMatching(/^Acquire 1 of "a", "b" by A, .* although 3 of 5 nodes answered/) as string },
      ],
    });
  });

  it('is not where nodes answered for one only, however many', () => {
    const history = attempt(new HistoryBuilder(), MANY_PARTS).build();
    expect(readTables(history).attempts.answers.get(0)).toBe(1);
    expect(checkAvailability(history).status).toBe('unknown');
  });

  it.each(AB)('is excused by a holder of %s alone', (resource) => {
    const run = new HistoryBuilder();
    run.grant({ client: 'B', resource, grantedMs: 10, untilMs: 90 });
    expect(checkAvailability(attempt(run, GRANTS).build()).status).toBe('ok');
  });

  it('is not excused by a holder of another resource', () => {
    const run = new HistoryBuilder();
    run.grant({ client: 'B', resource: 'c', grantedMs: 10, untilMs: 90 });
    expect(checkAvailability(attempt(run, GRANTS).build()).status).toBe('violated');
  });

  it('excuses who wanted one of them', () => {
    const run = new HistoryBuilder();
    run.grant({ client: 'B', resources: ['z', 'b', 'a'], grantedMs: 10, untilMs: 90 });
    const operation = run.invoke('C', 20, { resource: 'a' });
    const replies = Object.fromEntries(['n1', 'n2', 'n3'].map((node) => [node, ['held', 25] as const]));
    run.attempt({ client: 'C', operation, startedMs: 20, replies, endedMs: 30 }).fail(operation, 30);
    expect(checkAvailability(run.build()).status).toBe('ok');
  });
});
