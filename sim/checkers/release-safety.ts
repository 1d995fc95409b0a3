import type { AttemptStarted, CommandExecuted } from '../history/event.ts';
import type { History } from '../history/history.ts';
import { NONE, type RunTables } from '../history/tables/run-tables.ts';
import { tablesOf } from '../history/tables/table-reader.ts';
import { formatTimeUs } from '../text/duration-text.ts';
import { Findings } from './findings.ts';
import type { PropertyVerdict, Violation } from './verdict.ts';

/**
 * Violated when a release or an extension changed a key that held the value of another lease, be it that the node did not compare or that
 * the client sent a value which another client had drawn; or when it made a key where there was none.
 */
export function checkReleaseSafety(history: History): PropertyVerdict {
  const tables = tablesOf(history);
  const { executed, strayIndexes } = tables.holderCommands;
  const findings = new Findings('release-safety', tables);
  for (let row = 0; row < strayIndexes.length; row += 1) {
    findings.add(() => describeStray(history, tables, strayIndexes.get(row)));
  }
  return findings.verdict(executed === 0 ? 'no node executed a release or an extension' : null);
}

function describeStray(history: History, tables: RunTables, index: number): Violation {
  const { node, timeUs, client, kind, key, value, before } = history.at(index) as CommandExecuted;
  const command = kind === 'release' ? 'a release' : 'an extension';
  const where = `On ${node} at ${formatTimeUs(timeUs)}, ${command} by ${client}`;
  if (before === null) {
    return { message: `${where} made the key ${JSON.stringify(key)}, which was not there.`, events: [index] };
  }
  const ownerIndex = attemptWithValue(history, tables, before, index);
  const owner = ownerIndex === NONE ? 'somebody else' : (history.at(ownerIndex) as AttemptStarted).client;
  const did = kind === 'release' ? 'deleted' : 'prolonged';
  const how = before === value ? `, by that client's own value` : '';
  return {
    message: `${where} ${did} the key ${JSON.stringify(key)}, which held the value of another lease: that of ${owner}${how}.`,
    events: [ownerIndex, index],
  };
}

/** Where, before `index`, the newest attempt with this value started. */
function attemptWithValue(history: History, tables: RunTables, value: string, index: number): number {
  const { startedIndex } = tables.attempts;
  for (let attempt = tables.attempts.count - 1; attempt >= 0; attempt -= 1) {
    const started = startedIndex.get(attempt);
    if (started < index && (history.at(started) as AttemptStarted).value === value) return started;
  }
  return NONE;
}
