import { HistoryLog } from '../history/history-log.ts';
import type { AttemptStarted, HistoryEvent } from '../history/event.ts';
import type { History } from '../history/history.ts';
import type { RunTables } from '../history/tables/run-tables.ts';
import { tablesOf } from '../history/tables/table-reader.ts';
import type { Scenario } from '../scenario/schema.ts';
import { formatTimeUs } from '../text/duration-text.ts';
import { longestRoundUs } from './call-times.ts';
import type { Misconduct } from './misconduct.ts';

/**
 * An attempt, an extension or a release is decided when its nodes have had their time, be it by their silence: one command to all nodes,
 * or two where an attempt has a token to commit. Broken by what takes longer, or never ends.
 */
export function timelinessFlaws(scenario: Scenario, history: History): readonly Misconduct[] {
  const roundUs = longestRoundUs(scenario);
  const attemptUs = roundUs * (scenario.settings.fencing ? 2 : 1);
  const message = slowAttempt(tablesOf(history), history, attemptUs) ?? slowCall(history, roundUs);
  return message === null ? [] : [{ rule: 'timeliness', message }];
}

function slowAttempt({ attempts }: RunTables, history: History, mostUs: number): string | null {
  for (let attempt = 0; attempt < attempts.count; attempt += 1) {
    const startedUs = attempts.startedUs.get(attempt);
    const endedUs = attempts.endedUs.get(attempt);
    if (endedUs - startedUs <= mostUs) continue;
    const { client, operation } = history.at(attempts.startedIndex.get(attempt)) as AttemptStarted;
    return tooLong(`an attempt of acquire ${operation} by ${client}`, startedUs, endedUs, mostUs);
  }
  return null;
}

type Invoked = Extract<HistoryEvent, { type: 'extend-invoked' | 'release-invoked' }>;

function slowCall(history: History, mostUs: number): string | null {
  const open = new Map<number, Invoked>();
  let flaw: string | null = null;
  const close = (operation: number, timeUs: number): void => {
    const invoked = open.get(operation);
    open.delete(operation);
    if (invoked === undefined || timeUs - invoked.timeUs <= mostUs) return;
    flaw ??= tooLong(callText(invoked), invoked.timeUs, timeUs, mostUs);
  };
  HistoryLog.of(history).visit({
    ...IGNORED_MESSAGES,
    visitOther: (_index, event) => {
      switch (event.type) {
        case 'extend-invoked':
        case 'release-invoked':
          open.set(event.operation, event);
          break;
        case 'extend-granted':
        case 'extend-failed':
        case 'release-done':
        case 'release-failed':
          close(event.operation, event.timeUs);
          break;
        default:
      }
    },
  });
  for (const operation of [...open.keys()]) close(operation, Number.POSITIVE_INFINITY);
  return flaw;
}

const ignore = (): void => {
  // Only calls count.
};
const IGNORED_MESSAGES = { visitSent: ignore, visitExecuted: ignore, visitReceived: ignore };

function callText({ type, operation, client }: Invoked): string {
  return `${type === 'extend-invoked' ? 'extension' : 'release'} ${operation} by ${client}`;
}

function tooLong(what: string, fromUs: number, untilUs: number, mostUs: number): string {
  const until = untilUs === Number.POSITIVE_INFINITY ? 'never ended' : `took until ${formatTimeUs(untilUs)}`;
  return `What began at ${formatTimeUs(fromUs)}, ${what}, ${until}, although its time outs leave it ${formatTimeUs(Math.ceil(mostUs))}.`;
}
