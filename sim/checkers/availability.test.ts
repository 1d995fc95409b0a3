import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HistoryLog } from '../history/history-log.ts';
import { arbitraryHistory } from './arbitrary-history.ts';
import { checkAvailability } from './availability.ts';
import { HistoryBuilder, indexesOf } from './history-builder.ts';

const property = 'availability';

/** All five nodes give this reply at this time. */
function allReply(reply: string, atMs: number): Record<string, readonly [string, number]> {
  return Object.fromEntries(['n1', 'n2', 'n3', 'n4', 'n5'].map((node) => [node, [reply, atMs]]));
}

/** B tries from 50 ms on, is told that the lock is held, and gives up at 60 ms. */
function refuse(run: HistoryBuilder, replies = allReply('held', 55), code = 'contended'): number {
  const operation = run.invoke('B', 50);
  run.attempt({ operation, startedMs: 50, replies, endedMs: 60 }).fail(operation, 60, code);
  return operation;
}

/** B tries at 50 ms and at 70 ms, and gives up at 80 ms. */
function refuseTwice(run: HistoryBuilder, firstReplies: Record<string, readonly [string, number]>): void {
  const operation = run.invoke('B', 50);
  run.attempt({ operation, startedMs: 50, replies: firstReplies, endedMs: 53 });
  run.attempt({ operation, startedMs: 70, replies: allReply('held', 72), endedMs: 80 }, 2).fail(operation, 80);
}

describe('availability is violated', () => {
  it('when an acquire fails although a quorum answered and nobody held the lock', () => {
    const run = new HistoryBuilder();
    const operation = refuse(run, { n1: ['granted', 52], n2: ['granted', 53], n4: ['held', 54] });
    const history = run.build();
    expect(checkAvailability(history)).toEqual({
      property,
      status: 'violated',
      count: 1,
      violations: [
        {
          message:
            'Acquire 1 of "lock" by B, invoked at 50 ms, failed (contended) at 60 ms, although 3 of 5 nodes answered its attempt of 50 ms in time and nobody else held the lock.',
          events: indexesOf(
            history,
            ['acquire-invoked', { operation }],
            ['attempt-started', { operation }],
            ['acquire-failed', { operation }],
          ),
        },
      ],
    });
  });

  it('by votes that were split between two, of whom none won', () => {
    const run = new HistoryBuilder();
    for (const client of ['A', 'B']) {
      const operation = run.invoke(client, 50);
      run.attempt({ operation, startedMs: 50, replies: allReply('held', 55), endedMs: 60 }).fail(operation, 60);
    }
    expect(checkAvailability(run.build())).toMatchObject({ status: 'violated', count: 2 });
  });

  it.each([
    ['release was done', (run: HistoryBuilder, lease: number) => run.release(lease, 30, 50)],
    ['keys have expired', (run: HistoryBuilder) => run],
  ])('by keys that deny the lock when its holder is gone: %s', (_how, leave) => {
    const run = new HistoryBuilder();
    leave(run, run.grant({ client: 'A', ttlMs: 38, grantedMs: 10, untilMs: 45 }));
    refuse(run);
    expect(checkAvailability(run.build()).status).toBe('violated');
  });

  it('by an acquire that grants itself too late although answers came in time', () => {
    const run = new HistoryBuilder();
    refuse(run, allReply('granted', 55), 'expired');
    expect(checkAvailability(run.build()).status).toBe('violated');
  });

  it('when of many attempts one was answered', () => {
    const run = new HistoryBuilder();
    const operation = run.invoke('B', 50);
    run.attempt({ operation, startedMs: 50, replies: { n1: ['granted', 52] }, endedMs: 60 });
    run.attempt({ operation, startedMs: 70, replies: allReply('held', 72), endedMs: 80 }, 2);
    run.attempt({ operation, startedMs: 90, replies: { n1: ['granted', 92] }, endedMs: 99 }, 3);
    run.fail(operation, 99, 'unreachable');
    expect(checkAvailability(run.build())).toMatchObject({
      violations: [{ message: expect.stringContaining('5 of 5 nodes answered its attempt of 70 ms') as string }],
    });
  });

  it.each([
    ['the first', { grantedMs: 10, untilMs: 105 }, 54, '70 ms'],
    ['the last', { startedMs: 70, grantedMs: 71, untilMs: 165 }, 90, '50 ms'],
  ])('when somebody held the lock during another attempt only: %s', (_which, lease, releasedMs, inexcusable) => {
    const run = new HistoryBuilder();
    run.release(run.grant({ client: 'A', ...lease }), releasedMs, releasedMs + 1);
    refuseTwice(run, allReply('held', 52));
    expect(checkAvailability(run.build())).toMatchObject({
      status: 'violated',
      count: 1,
      violations: [{ message: expect.stringContaining(`answered its attempt of ${inexcusable} in time`) as string }],
    });
  });

  it('by keys that nobody holds, for ten attempts after a first one that met a holder', () => {
    const run = new HistoryBuilder();
    run.release(run.grant({ client: 'A', startedMs: 0, grantedMs: 2, untilMs: 90 }), 10, 11);
    const operation = run.invoke('B', 5);
    for (let attempt = 1; attempt <= 11; attempt += 1) {
      const startedMs = attempt === 1 ? 5 : attempt * 1000;
      run.attempt({ operation, startedMs, replies: allReply('held', startedMs + 2), endedMs: startedMs + 3 }, attempt);
    }
    run.fail(operation, 11_004);
    expect(checkAvailability(run.build())).toMatchObject({ status: 'violated', count: 1 });
  });

  it('by an acquire that never settles, in a run that was completed', () => {
    const run = new HistoryBuilder();
    const operation = run.invoke('B', 50);
    run.attempt({ operation, startedMs: 50, replies: allReply('held', 55) });
    const history = run.build();
    expect(checkAvailability(history)).toMatchObject({
      status: 'violated',
      violations: [
        {
          message:
            'Acquire 1 of "lock" by B, invoked at 50 ms, never settled, although 5 of 5 nodes answered its attempt of 50 ms in time and nobody else held the lock.',
          events: indexesOf(history, ['acquire-invoked'], ['attempt-started'], ['run-ended']),
        },
      ],
    });
    expect(checkAvailability(run.build('interrupted')).status).toBe('unknown');
  });

  it('by two that never settle: they do not excuse each other', () => {
    const run = new HistoryBuilder();
    for (const client of ['A', 'B']) {
      run.attempt({ operation: run.invoke(client, 50), startedMs: 50, replies: allReply('held', 55) });
    }
    expect(checkAvailability(run.build())).toMatchObject({ status: 'violated', count: 2 });
  });
});

describe('availability holds', () => {
  it('when acquires are granted', () => {
    const run = new HistoryBuilder();
    run.grant({ grantedMs: 10, untilMs: 110 });
    expect(checkAvailability(run.build())).toEqual({ property, status: 'ok' });
  });

  it('when somebody else held the lock', () => {
    const run = new HistoryBuilder();
    run.grant({ client: 'A', grantedMs: 10, untilMs: 105 });
    refuse(run);
    expect(checkAvailability(run.build()).status).toBe('ok');
  });

  it('when somebody else was about to be granted the lock', () => {
    const run = new HistoryBuilder();
    run.grant({ client: 'A', startedMs: 59, grantedMs: 70, untilMs: 150 });
    refuse(run);
    expect(checkAvailability(run.build()).status).toBe('ok');
  });

  it('when a holder outlasts one that came after it', () => {
    const run = new HistoryBuilder();
    run.grant({ client: 'A', grantedMs: 10, untilMs: 105 });
    run.release(run.grant({ client: 'C', grantedMs: 20, untilMs: 115 }), 30, 35);
    refuse(run);
    expect(checkAvailability(run.build()).status).toBe('ok');
  });

  it('when a holder took long to be granted the lock, and others came in between', () => {
    const run = new HistoryBuilder();
    run.release(run.grant({ client: 'A', startedMs: 40, grantedMs: 41, untilMs: 140 }), 45, 46);
    run.grant({ client: 'A', startedMs: 65, grantedMs: 66, untilMs: 165 });
    run.grant({ client: 'C', startedMs: 47, grantedMs: 70, untilMs: 145 });
    refuse(run);
    expect(checkAvailability(run.build()).status).toBe('ok');
  });

  it('when somebody held the lock during each attempt that a quorum answered', () => {
    const run = new HistoryBuilder();
    run.release(run.grant({ client: 'A', grantedMs: 10, untilMs: 105 }), 54, 55);
    run.grant({ client: 'C', grantedMs: 75, untilMs: 170 });
    refuseTwice(run, allReply('held', 52));
    expect(checkAvailability(run.build()).status).toBe('ok');
    const other = new HistoryBuilder();
    other.grant({ client: 'C', grantedMs: 75, untilMs: 170 });
    refuseTwice(other, { n1: ['granted', 52] });
    expect(checkAvailability(other.build()).status).toBe('ok');
  });

  it('when votes were split, and somebody got the lock before the next attempt', () => {
    const run = new HistoryBuilder();
    run.release(run.grant({ client: 'C', startedMs: 65, grantedMs: 66, untilMs: 160 }), 79, 90);
    refuseTwice(run, allReply('held', 52));
    expect(checkAvailability(run.build()).status).toBe('ok');
  });

  it('when votes were split with somebody who got the lock in the end', () => {
    const run = new HistoryBuilder();
    const winner = run.invoke('C', 55);
    run.attempt({ operation: winner, startedMs: 55, replies: allReply('held', 57), endedMs: 58 });
    run.attempt({ operation: winner, startedMs: 80, replies: allReply('held', 81), endedMs: 82 }, 2);
    run.settle(winner, { startedMs: 100, grantedMs: 101, untilMs: 200 }, 3);
    refuse(run);
    expect(checkAvailability(run.build()).status).toBe('ok');
    const alone = run.invoke('B', 61);
    run.attempt({ operation: alone, startedMs: 61, replies: allReply('held', 62), endedMs: 63 }).fail(alone, 63);
    expect(checkAvailability(run.build())).toMatchObject({ status: 'violated', count: 1 });
  });

  it.each([
    [79, 'ok'],
    [80, 'violated'],
  ])(
    'when votes were split, if somebody got the lock (at %d ms) before the last of them gave up (at 80 ms)',
    (startedMs, status) => {
      const run = new HistoryBuilder();
      const rival = run.invoke('A', 52);
      run.attempt({ operation: rival, startedMs: 52, replies: allReply('held', 54), endedMs: 55 });
      run.attempt({ operation: rival, startedMs: 70, replies: {}, endedMs: 72 }, 2).fail(rival, 80);
      refuse(run);
      run.grant({ client: 'C', startedMs, grantedMs: startedMs + 1, untilMs: 180 });
      expect(checkAvailability(run.build()).status).toBe(status);
    },
  );

  it.each([
    ['one who was trying', { startedMs: 52, endedMs: 70 }, 'ok'],
    ['one who took no time in that instant either', { startedMs: 60, endedMs: 60 }, 'violated'],
  ])('when votes may have been split in an attempt that took no time, with %s', (_who, times, status) => {
    const run = new HistoryBuilder();
    const rival = run.invoke('A', 50);
    run.attempt({ operation: rival, replies: {}, ...times }).fail(rival, 80);
    const operation = run.invoke('B', 60);
    run.attempt({ operation, startedMs: 60, replies: allReply('held', 60), endedMs: 60 }).fail(operation, 60);
    run.grant({ client: 'C', startedMs: 65, grantedMs: 66, untilMs: 160 });
    expect(checkAvailability(run.build()).status).toBe(status);
  });

  it.each([
    ['its release has not been confirmed', (run: HistoryBuilder, lease: number) => run.release(lease, 20)],
    ['an extension has prolonged it', (run: HistoryBuilder, lease: number) => run.extend(lease, 20, 25, 60)],
    ['an extension that failed may have', (run: HistoryBuilder, lease: number) => run.extend(lease, 20, 25)],
    ['an extension that is pending may yet', (run: HistoryBuilder, lease: number) => run.extend(lease, 20)],
  ])('when the keys of a holder may still be there: %s', (_why, act) => {
    const run = new HistoryBuilder();
    act(run, run.grant({ client: 'A', ttlMs: 39, grantedMs: 10, untilMs: 45 }));
    refuse(run);
    expect(checkAvailability(run.build()).status).toBe('ok');
  });

  it('when an acquire that is pending may have taken the lock', () => {
    const run = new HistoryBuilder();
    run.attempt({ operation: run.invoke('A', 55), startedMs: 55, replies: {} });
    refuse(run);
    run.grant({ client: 'C', resource: 'other', grantedMs: 10, untilMs: 105 });
    expect(checkAvailability(run.build()).status).toBe('ok');
  });

  it('when too few nodes answered in time', () => {
    const run = new HistoryBuilder();
    run.grant({ client: 'A', resource: 'other', grantedMs: 10, untilMs: 105 });
    refuse(run, { n1: ['granted', 52], n2: ['granted', 53], n3: ['failed', 53], n4: ['granted', 61] }, 'unreachable');
    expect(checkAvailability(run.build()).status).toBe('ok');
  });

  it('when nodes in quarantine abstained', () => {
    const run = new HistoryBuilder();
    run.grant({ client: 'A', resource: 'other', grantedMs: 10, untilMs: 105 });
    refuse(run, { n1: ['granted', 52], n2: ['granted', 53], n3: ['quarantined', 53], n4: ['quarantined', 54] });
    expect(checkAvailability(run.build()).status).toBe('ok');
  });

  it('when the caller gave up', () => {
    const run = new HistoryBuilder();
    run.grant({ client: 'A', resource: 'other', grantedMs: 10, untilMs: 105 });
    refuse(run, allReply('held', 55), 'aborted');
    expect(checkAvailability(run.build()).status).toBe('ok');
  });
});

describe('the edges of time', () => {
  it.each([
    ['as the attempt of the next holder starts', { startedMs: 60, grantedMs: 65, untilMs: 150 }, 'violated'],
    ['just after it has started', { startedMs: 59.999, grantedMs: 65, untilMs: 150 }, 'ok'],
  ] as const)('an attempt that ends %s', (_when, lease, status) => {
    const run = new HistoryBuilder();
    run.grant({ client: 'A', ...lease });
    refuse(run);
    expect(checkAvailability(run.build()).status).toBe(status);
  });

  it.each([
    [50, 'violated'],
    [50.001, 'ok'],
  ])('an attempt that starts at 50 ms, with a release done at %d ms', (doneMs, status) => {
    const run = new HistoryBuilder();
    run.release(run.grant({ client: 'A', grantedMs: 10, untilMs: 110 }), 40, doneMs);
    refuse(run);
    expect(checkAvailability(run.build()).status).toBe(status);
  });

  it.each([
    [147.999, 'violated'],
    [148, 'unknown'],
  ])('answers at %d ms to an attempt of 50 ms, of which 98 ms are of use', (atMs, status) => {
    const run = new HistoryBuilder();
    const operation = run.invoke('B', 50);
    run.attempt({ operation, startedMs: 50, replies: allReply('granted', atMs), endedMs: 200 });
    expect(checkAvailability(run.fail(operation, 200, 'expired').build()).status).toBe(status);
  });

  it.each([
    [60, 'violated'],
    [60.001, 'unknown'],
  ])('answers at %d ms to an attempt that was ended at 60 ms', (atMs, status) => {
    const run = new HistoryBuilder();
    refuse(run, allReply('granted', atMs), 'unreachable');
    expect(checkAvailability(run.build()).status).toBe(status);
  });

  it('an answer in the moment of the clean-up, but after it, comes too late', () => {
    const run = new HistoryBuilder();
    const operation = run.invoke('B', 50);
    run.attempt({ operation, startedMs: 50, replies: { n1: ['granted', 52], n2: ['granted', 53] }, endedMs: 60 });
    run.add({ type: 'reply-received', timeUs: 60_000, command: 3, client: 'B', node: 'n3', reply: 'granted' });
    expect(checkAvailability(run.fail(operation, 60).build()).status).toBe('unknown');
  });
});

describe('availability is unknown', () => {
  it('when no acquire reached a quorum', () => {
    const run = new HistoryBuilder();
    refuse(run, { n1: ['granted', 52] }, 'unreachable');
    expect(checkAvailability(run.build())).toEqual({
      property,
      status: 'unknown',
      reason: 'no acquire reached a quorum',
    });
  });

  it('when an acquire failed and there are no messages that tell who answered', () => {
    const run = new HistoryBuilder();
    run.grant({ client: 'A', grantedMs: 10, untilMs: 110 });
    run.fail(run.invoke('B', 50), 60);
    expect(checkAvailability(run.build())).toMatchObject({
      status: 'unknown',
      reason: 'acquires failed, and the history holds no messages that tell whether a quorum answered',
    });
  });
});

describe('a vote in two rounds', () => {
  it.each([
    ['a commit is still to be answered', [], 'unknown'],
    ['the commit was refused', [['refused', 57]], 'violated'],
    ['the answer to the commit came too late', [['refused', 61]], 'unknown'],
  ] as const)('%s', (_case, replies, status) => {
    const run = new HistoryBuilder({ fencing: true });
    const operation = refuse(run, { n1: ['granted', 52], n2: ['granted', 53], n3: ['granted', 54] });
    const value = run.valueOf(operation);
    const commit = { command: 99, client: 'B', node: 'n1' };
    run.add({ type: 'command-sent', timeUs: 55_000, ...commit, kind: 'commit', key: 'lock', value });
    for (const [reply, atMs] of replies) run.add({ type: 'reply-received', timeUs: atMs * 1000, ...commit, reply });
    expect(checkAvailability(run.build()).status).toBe(status);
  });
});

interface Attempt {
  readonly operation: number;
  readonly startedUs: number;
  readonly usefulUntilUs: number;
  endedUs: number;
  answers: number;
}

/** What the checker should find, event by event and in quadratic time. */
function referenceCount(history: HistoryLog): { violations: number; judged: number } {
  const events = [...history.since(0)];
  const invocations = events.filter((event) => event.type === 'acquire-invoked');
  const outcomeOf = (operation: number): string =>
    events
      .filter((event) => event.type === 'acquire-granted' || event.type === 'acquire-failed')
      .filter((event) => event.operation === operation)
      .map((event) => (event.type === 'acquire-failed' ? event.code : 'granted'))[0] ?? 'pending';
  const grantedUs = (operation: number): number =>
    events.find((event) => event.type === 'acquire-granted' && event.operation === operation)?.timeUs ?? Number.NaN;
  const attempts = events.flatMap((event): Attempt[] => {
    if (event.type !== 'attempt-started') return [];
    const { operation, value, timeUs } = event;
    const ttlMs = invocations.find((invoked) => invoked.operation === operation)?.ttlMs ?? 0;
    const isOfValue = (other: (typeof events)[number]): boolean => 'value' in other && other.value === value;
    const ended = events.find(
      (other) =>
        other.type === 'command-sent' && other.kind === 'release' && isOfValue(other) && other.timeUs >= timeUs,
    );
    const attempt: Attempt = {
      operation,
      startedUs: timeUs,
      usefulUntilUs: timeUs + (ttlMs - 2) * 1000,
      endedUs: ended?.timeUs ?? (outcomeOf(operation) === 'granted' ? grantedUs(operation) : Number.POSITIVE_INFINITY),
      answers: 0,
    };
    for (const sent of events) {
      if (sent.type !== 'command-sent' || sent.kind !== 'acquire' || !isOfValue(sent)) continue;
      const reply = events.find((other) => other.type === 'reply-received' && other.command === sent.command);
      if (reply?.type !== 'reply-received' || reply.reply === 'failed') continue;
      if (reply.timeUs <= attempt.endedUs && reply.timeUs < attempt.usefulUntilUs) attempt.answers += 1;
    }
    return [attempt];
  });
  const tenures = events.flatMap((event) => {
    if (event.type !== 'acquire-granted') return [];
    const { operation, resource, timeUs } = event;
    const ttlMs = invocations.find((invoked) => invoked.operation === operation)?.ttlMs ?? 0;
    let goneUs = timeUs + (ttlMs + 2) * 1000;
    let isReleased = false;
    const pending = new Map<number, { ttlMs: number; invokedUs: number }>();
    for (const other of events) {
      if (!('lease' in other) || other.lease !== operation) continue;
      if (other.type === 'extend-invoked') {
        pending.set(other.operation, { ttlMs: other.ttlMs, invokedUs: other.timeUs });
      }
      if (other.type === 'extend-granted' || other.type === 'extend-failed') {
        const extension = pending.get(other.operation) ?? { ttlMs: 0, invokedUs: 0 };
        pending.delete(other.operation);
        if (!isReleased && extension.invokedUs < goneUs) {
          goneUs = Math.max(goneUs, other.timeUs + (extension.ttlMs + 2) * 1000);
        }
      }
      if (other.type === 'release-done') {
        isReleased = true;
        goneUs = Math.min(goneUs, other.timeUs);
      }
    }
    if (pending.size > 0 && !isReleased) goneUs = Number.POSITIVE_INFINITY;
    const started = attempts.findLast((attempt) => attempt.operation === operation)?.startedUs;
    const invoked = invocations.find((other) => other.operation === operation)?.timeUs ?? 0;
    return [{ resource, startedUs: started ?? invoked, goneUs }];
  });
  const gaveUpUs = (operation: number): number =>
    events.find(
      (event) => (event.type === 'acquire-granted' || event.type === 'acquire-failed') && event.operation === operation,
    )?.timeUs ??
    Math.max(...attempts.filter((attempt) => attempt.operation === operation).map(({ startedUs }) => startedUs));
  let violations = 0;
  let judged = 0;
  for (const { operation, resource } of invocations) {
    const outcome = outcomeOf(operation);
    if (outcome === 'granted') judged += 1;
    if (outcome === 'granted' || outcome === 'aborted') continue;
    const own = attempts.filter((attempt) => attempt.operation === operation);
    if (!own.some(({ answers }) => answers >= 3)) continue;
    judged += 1;
    const hangers = attempts.filter(
      (attempt) =>
        attempt.endedUs === Number.POSITIVE_INFINITY &&
        outcomeOf(attempt.operation) === 'pending' &&
        invocations.some((invoked) => invoked.operation === attempt.operation && invoked.resource === resource),
    );
    const others = attempts.filter((attempt) =>
      invocations.some((invoked) => invoked.operation === attempt.operation && invoked.resource === resource),
    );
    const isHeld = (fromUs: number, untilUs: number): boolean =>
      tenures.some((tenure) => tenure.resource === resource && tenure.startedUs < untilUs && fromUs < tenure.goneUs);
    const isExcused = (attempt: Attempt, place: number): boolean => {
      const { startedUs, endedUs } = attempt;
      const nextUs = own[place + 1]?.startedUs ?? endedUs;
      const hadRivals = others.some(
        (other) => other !== attempt && other.startedUs < endedUs && startedUs < other.endedUs,
      );
      const early = others.filter((other) => other.startedUs < endedUs).map((other) => gaveUpUs(other.operation));
      return (
        isHeld(startedUs, nextUs) ||
        (hadRivals && isHeld(startedUs, Math.max(...early))) ||
        (outcome !== 'pending' && hangers.some((hanger) => hanger.startedUs < nextUs))
      );
    };
    if (!own.every((attempt, place) => attempt.answers < 3 || isExcused(attempt, place))) violations += 1;
  }
  return { violations, judged };
}

describe('the sweep', () => {
  it('finds what comparing every attempt with every lease finds', () => {
    fc.assert(
      fc.property(arbitraryHistory, (history) => {
        const { violations, judged } = referenceCount(history);
        const verdict = checkAvailability(history);
        expect(verdict.status === 'violated' ? verdict.count : 0).toBe(violations);
        expect(verdict.status === 'ok').toBe(violations === 0 && judged > 0);
      }),
      { numRuns: 1000 },
    );
  });
});
