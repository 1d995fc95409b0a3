import type { AcquireFailed, AcquireInvoked } from '../history/event.ts';
import type { History } from '../history/history.ts';
import { FAILED, GRANTED, NONE, PENDING, type RunTables } from '../history/run-tables.ts';
import { tablesOf } from '../history/table-reader.ts';
import { formatTimeUs } from '../text/duration-text.ts';
import { Findings } from './findings.ts';
import { Tenures } from './tenures.ts';
import type { PropertyVerdict, Violation } from './verdict.ts';
import { resourceText } from './wording.ts';

/**
 * Violated when an acquire failed, or never settled in a run that was completed, although a quorum answered one of its attempts
 * in time and nobody else held the lock during any of them. So a real holder excuses a failure, as does a lack of
 * answers; split votes that nobody wins, keys that outlive their holders and a library that denies itself do not.
 */
export function checkAvailability(history: History): PropertyVerdict {
  const tables = tablesOf(history);
  const { acquires, started } = tables;
  const findings = new Findings('availability', tables);
  if (started === null) return findings.verdict(null);
  const isCompleted = tables.endReason === 'completed';
  const tenures = new Tenures(tables);
  let judged = 0;
  let unanswered = 0;
  for (let acquire = 0; acquire < acquires.count; acquire += 1) {
    const outcome = acquires.outcome.get(acquire);
    if (outcome === GRANTED) judged += 1;
    if (outcome !== FAILED && !(outcome === PENDING && isCompleted)) continue;
    const answered = answeredAttempt(tables, acquire, started.quorum);
    if (answered === NONE) {
      unanswered += 1;
      continue;
    }
    judged += 1;
    if (!tenures.overlapAttemptsOf(acquire)) {
      findings.add(() => describeRefusal(history, tables, acquire, answered));
    }
  }
  if (unanswered > 0 && tables.commandsSent === 0) {
    return findings.verdict('acquires failed, and the history holds no messages that tell whether a quorum answered');
  }
  return findings.verdict(judged === 0 ? 'no acquire reached a quorum' : null);
}

/** The last attempt of the acquire that a quorum answered in time. */
function answeredAttempt(tables: RunTables, acquire: number, quorum: number): number {
  const { attempts } = tables;
  let attempt = tables.acquires.lastAttempt.get(acquire);
  while (attempt !== NONE && attempts.answers.get(attempt) < quorum) attempt = attempts.previous.get(attempt);
  return attempt;
}

function describeRefusal(history: History, tables: RunTables, acquire: number, attempt: number): Violation {
  const { acquires, attempts } = tables;
  const invokedIndex = acquires.invokedIndex.get(acquire);
  const outcomeIndex = acquires.outcomeIndex.get(acquire);
  const { client, operation, timeUs } = history.at(invokedIndex) as AcquireInvoked;
  let outcome = 'never settled';
  if (outcomeIndex !== NONE) {
    const { code, timeUs: failedUs } = history.at(outcomeIndex) as AcquireFailed;
    outcome = `failed (${code}) at ${formatTimeUs(failedUs)}`;
  }
  const nodes = tables.started?.nodes.length ?? 0;
  return {
    message:
      `Acquire ${operation} of ${resourceText(tables, acquires.resource.get(acquire))} by ${client}, invoked at ${formatTimeUs(timeUs)}, ` +
      `${outcome}, although ${attempts.answers.get(attempt)} of ${nodes} nodes answered its attempt of ` +
      `${formatTimeUs(attempts.startedUs.get(attempt))} in time and nobody else held the lock.`,
    events: [
      invokedIndex,
      attempts.startedIndex.get(attempt),
      outcomeIndex === NONE ? tables.endedIndex : outcomeIndex,
    ],
  };
}
