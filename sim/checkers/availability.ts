import type { AcquireFailed, AcquireInvoked } from '../history/event.ts';
import type { History } from '../history/history.ts';
import { FAILED, GRANTED, NONE, PENDING, type RunTables } from '../history/tables/run-tables.ts';
import { tablesOf } from '../history/tables/table-reader.ts';
import { formatTimeUs } from '../text/duration-text.ts';
import { Findings } from './findings.ts';
import { Tenures } from './tenures.ts';
import type { PropertyVerdict, Violation } from './verdict.ts';
import { resourceText } from './wording.ts';

/**
 * Violated when an acquire failed, or never settled in a run that was completed, although a quorum answered one of its attempts
 * in time, and nobody else held the lock during that attempt or got it before the next one. Votes that may have been split with others
 * who tried at the same time are forgiven if somebody got the lock before all who were after it then had given up.
 * So a real holder excuses an attempt (but no other attempt), as does a lack of answers; split votes that nobody
 * wins, keys that outlive their holders and a library that denies itself do not.
 */
export function checkAvailability(history: History): PropertyVerdict {
  const tables = tablesOf(history);
  const { acquires, started } = tables;
  const findings = new Findings('availability', tables);
  if (started === null) return findings.verdict(null);
  const isCompleted = tables.endReason === 'completed';
  const tenures = new Tenures(history, tables);
  let judged = 0;
  let unanswered = 0;
  for (let acquire = 0; acquire < acquires.count; acquire += 1) {
    const outcome = acquires.outcome.get(acquire);
    if (outcome === GRANTED) judged += 1;
    if (outcome !== FAILED && !(outcome === PENDING && isCompleted)) continue;
    const answered = answeredAttempts(tables, acquire, started.quorum);
    if (answered.length === 0) {
      unanswered += 1;
      continue;
    }
    judged += 1;
    const inexcusable = answered.find(({ attempt, nextUs }) => !tenures.excuse(acquire, attempt, nextUs));
    if (inexcusable !== undefined) {
      findings.add(() => describeRefusal(history, tables, acquire, inexcusable.attempt));
    }
  }
  if (unanswered > 0 && tables.commandsSent === 0) {
    return findings.verdict('acquires failed, and the history holds no messages that tell whether a quorum answered');
  }
  return findings.verdict(judged === 0 ? 'no acquire reached a quorum' : null);
}

interface AnsweredAttempt {
  readonly attempt: number;
  /** When the next attempt began; the end of the last one. */
  readonly nextUs: number;
}

/** The attempts of the acquire that a quorum answered in time, the last of them first. */
function answeredAttempts(tables: RunTables, acquire: number, quorum: number): AnsweredAttempt[] {
  const { attempts } = tables;
  const answered: AnsweredAttempt[] = [];
  let attempt = tables.acquires.lastAttempt.get(acquire);
  if (attempt === NONE) return answered;
  let nextUs = attempts.endedUs.get(attempt);
  while (attempt !== NONE) {
    if (attempts.answers.get(attempt) >= quorum) answered.push({ attempt, nextUs });
    nextUs = attempts.startedUs.get(attempt);
    attempt = attempts.previous.get(attempt);
  }
  return answered;
}

function describeRefusal(history: History, tables: RunTables, acquire: number, attempt: number): Violation {
  const { acquires, attempts } = tables;
  const invokedIndex = acquires.invokedIndex.get(acquire);
  const outcomeIndex = acquires.outcomeIndex.get(acquire);
  const { client, operation, timeUs } = history.at(invokedIndex) as AcquireInvoked;
  const resources = acquires
    .resourcesOf(acquire)
    .map((resource) => resourceText(tables, resource))
    .join(', ');
  let outcome = 'never settled';
  if (outcomeIndex !== NONE) {
    const { code, timeUs: failedUs } = history.at(outcomeIndex) as AcquireFailed;
    outcome = `failed (${code}) at ${formatTimeUs(failedUs)}`;
  }
  const nodes = tables.started?.nodes.length ?? 0;
  return {
    message:
      `Acquire ${operation} of ${resources} by ${client}, invoked at ${formatTimeUs(timeUs)}, ` +
      `${outcome}, although ${attempts.answers.get(attempt)} of ${nodes} nodes answered its attempt of ` +
      `${formatTimeUs(attempts.startedUs.get(attempt))} in time and nobody else held the lock.`,
    events: [
      invokedIndex,
      attempts.startedIndex.get(attempt),
      outcomeIndex === NONE ? tables.endedIndex : outcomeIndex,
    ],
  };
}
