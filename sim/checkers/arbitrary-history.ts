import fc from 'fast-check';
import type { HistoryLog } from '../history/history-log.ts';
import { HistoryBuilder } from './history-builder.ts';

const REPLIES = ['granted', 'held', 'held', 'failed'] as const;
const NODES = ['n1', 'n2', 'n3', 'n4', 'n5'] as const;

/** Moments are small whole milliseconds, so that many of them fall together. */
const delay = fc.nat(6);
const sometimes = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> => fc.option(value, { freq: 1 });

const arbitraryLease = fc.record({
  client: fc.constantFrom('A', 'B', 'C'),
  resource: fc.constantFrom('lock', 'other'),
  ttlMs: fc.constantFrom(5, 10, 20),
  startedMs: fc.nat(40),
  hasAttempt: fc.boolean(),
  grantedAfter: delay,
  validFor: fc.nat(15),
  token: fc.option(fc.nat(9), { freq: 9 }),
  extension: sometimes(fc.record({ after: fc.nat(15), settledAfter: delay, validFor: sometimes(fc.nat(15)) })),
  pendingExtensionAfter: sometimes(fc.nat(15)),
  release: sometimes(fc.record({ after: fc.nat(20), doneAfter: sometimes(delay) })),
  section: sometimes(fc.record({ after: delay, leftAfter: sometimes(fc.nat(20)) })),
  writesAfter: fc.array(fc.nat(25), { maxLength: 2 }),
});

const arbitraryRefusal = fc.record({
  client: fc.constantFrom('A', 'B', 'C'),
  resource: fc.constantFrom('lock', 'other'),
  ttlMs: fc.constantFrom(5, 10, 20),
  invokedMs: fc.nat(80),
  attempts: fc.array(
    fc.record({
      after: delay,
      replies: fc.array(fc.option(fc.record({ reply: fc.constantFrom(...REPLIES), after: delay }), { freq: 6 }), {
        minLength: NODES.length,
        maxLength: NODES.length,
      }),
      endedAfter: fc.nat(12),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  outcome: fc.constantFrom('granted', 'contended', 'unreachable', 'expired', 'aborted', 'pending'),
});

/** Rates and steps of which every moment comes out in whole microseconds. */
const arbitraryClockChange = fc.record({
  client: fc.constantFrom('A', 'B', 'C'),
  atMs: fc.nat(70),
  byMs: fc.constantFrom(-20, -5, 0, 0, 3, 10),
  rate: fc.constantFrom(0.5, 1, 1, 2),
});

/** Histories in which clients take, use and lose locks as if nothing coordinated them: nearly every property is violated often. */
export const arbitraryHistory: fc.Arbitrary<HistoryLog> = fc
  .record({
    fencing: fc.boolean(),
    leases: fc.array(arbitraryLease, { maxLength: 8 }),
    refusals: fc.array(arbitraryRefusal, { maxLength: 5 }),
    clockChanges: fc.array(arbitraryClockChange, { maxLength: 3 }),
    healedMs: fc.option(fc.nat(90)),
  })
  .map(({ fencing, leases, refusals, clockChanges, healedMs }) => {
    const run = new HistoryBuilder({ fencing });
    for (const { client, atMs, byMs, rate } of clockChanges) run.clock(client, atMs, { byMs, rate });
    if (healedMs !== null) run.healed(healedMs);
    for (const lease of leases) {
      const grantedMs = lease.startedMs + lease.grantedAfter;
      const operation = run.grant({
        client: lease.client,
        resource: lease.resource,
        ttlMs: lease.ttlMs,
        invokedMs: lease.startedMs,
        startedMs: lease.hasAttempt ? lease.startedMs : null,
        grantedMs,
        untilMs: grantedMs + lease.validFor,
        token: fencing ? lease.token : null,
      });
      const { extension, pendingExtensionAfter, release, section } = lease;
      if (extension !== null) {
        const invokedMs = grantedMs + extension.after;
        const settledMs = invokedMs + extension.settledAfter;
        const untilMs = extension.validFor === null ? undefined : settledMs + extension.validFor;
        run.extend(operation, invokedMs, settledMs, untilMs, lease.ttlMs);
      }
      if (pendingExtensionAfter !== null) run.extend(operation, grantedMs + pendingExtensionAfter);
      if (release !== null) {
        const invokedMs = grantedMs + release.after;
        run.release(operation, invokedMs, release.doneAfter === null ? undefined : invokedMs + release.doneAfter);
      }
      if (section !== null) {
        const enteredMs = grantedMs + section.after;
        run.section(operation, enteredMs, section.leftAfter === null ? undefined : enteredMs + section.leftAfter);
      }
      for (const after of lease.writesAfter) run.write(operation, grantedMs + after);
    }
    for (const refusal of refusals) {
      const operation = run.invoke(refusal.client, refusal.invokedMs, refusal);
      let nowMs = refusal.invokedMs;
      refusal.attempts.forEach(({ after, replies, endedAfter }, place) => {
        const startedMs = nowMs + after;
        const isLast = place === refusal.attempts.length - 1;
        nowMs = startedMs + endedAfter;
        const byNode = replies.flatMap((reply, node) =>
          reply === null ? [] : [[NODES[node], [reply.reply, startedMs + reply.after]] as const],
        );
        const endedMs = isLast && refusal.outcome === 'pending' ? undefined : nowMs;
        run.attempt(
          {
            operation,
            startedMs,
            replies: Object.fromEntries(byNode) as Record<string, readonly [string, number]>,
            ...(endedMs === undefined ? {} : { endedMs }),
          },
          place + 1,
        );
      });
      if (refusal.outcome === 'granted') {
        const grant = { startedMs: nowMs, grantedMs: nowMs + 1, untilMs: nowMs + 4, token: fencing ? nowMs : null };
        run.settle(operation, grant, refusal.attempts.length + 1);
      } else if (refusal.outcome !== 'pending') run.fail(operation, nowMs, refusal.outcome);
    }
    return run.build();
  });
