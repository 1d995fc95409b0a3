import type { AcquireFailed, AcquireInvoked } from '../history/event.ts';
import type { History } from '../history/history.ts';
import { keyLifeUs } from '../history/tables/key-life.ts';
import { GRANTED, NONE, PENDING, type RunTables, WITHDRAWN } from '../history/tables/run-tables.ts';
import { tablesOf } from '../history/tables/table-reader.ts';
import { formatTimeUs } from '../text/duration-text.ts';
import { Findings } from './findings.ts';
import type { PropertyVerdict, Violation } from './verdict.ts';
import { resourceText } from './wording.ts';

/** What the probes of one resource say. */
interface Probes {
  granted: boolean;
  pending: boolean;
  /** Acquires that were invoked late enough, and in vain. */
  readonly failed: number[];
}

/**
 * Violated when, after all faults healed and the longest time to live has passed, nobody can acquire a resource: every probe
 * of it that was invoked from then on failed, or never settled in a run that was completed. Each such resource counts once.
 * It holds only if every resource that anybody ever tried to lock was locked after healing.
 */
export function checkDeadlockFreedom(history: History): PropertyVerdict {
  const tables = tablesOf(history);
  const { resources, started } = tables;
  const findings = new Findings('deadlock-freedom', tables);
  if (tables.healedIndex === NONE || started === null) return findings.verdict('the faults were never healed');
  const dueUs = tables.healedUs + keyLifeUs(started.longestTtlMs, started.clockDriftFactor);
  const probes = readProbes(history, tables, dueUs);
  for (const [resource, { granted, pending, failed }] of probes) {
    // What is pending in a run that was cut short might have been granted.
    if (granted || pending || failed.length === 0) continue;
    findings.add(() => describeDeadlock(history, tables, resource, dueUs, failed));
  }
  if (probes.size === 0) return findings.verdict('nobody tried to lock anything after the faults had healed');
  for (let resource = 0; resource < resources.count; resource += 1) {
    if (probes.get(resource)?.granted === true) continue;
    return findings.verdict(
      `no try to lock ${resourceText(tables, resource)} was settled after the faults had healed and the longest time to live had passed`,
    );
  }
  return findings.verdict(null);
}

function readProbes(history: History, tables: RunTables, dueUs: number): Map<number, Probes> {
  const { acquires } = tables;
  const isCompleted = tables.endReason === 'completed';
  const probes = new Map<number, Probes>();
  for (let acquire = 0; acquire < acquires.count; acquire += 1) {
    const invokedIndex = acquires.invokedIndex.get(acquire);
    if (invokedIndex < tables.healedIndex) continue;
    const invoked = history.at(invokedIndex) as AcquireInvoked;
    if (invoked.phase !== 'probe') continue;
    // Probes ask for one resource each.
    const resource = acquires.resource.get(acquire);
    let probe = probes.get(resource);
    if (probe === undefined) {
      probe = { granted: false, pending: false, failed: [] };
      probes.set(resource, probe);
    }
    const outcome = acquires.outcome.get(acquire);
    // One that was granted before its time proves that much more.
    if (outcome === GRANTED) probe.granted = true;
    else if (outcome === PENDING && !isCompleted) probe.pending = true;
    else if (outcome !== WITHDRAWN && invoked.timeUs >= dueUs) probe.failed.push(acquire);
  }
  return probes;
}

function describeDeadlock(
  history: History,
  tables: RunTables,
  resource: number,
  dueUs: number,
  failed: readonly number[],
): Violation {
  const { acquires } = tables;
  const attempts = failed.map((acquire) => {
    const { client } = history.at(acquires.invokedIndex.get(acquire)) as AcquireInvoked;
    const outcomeIndex = acquires.outcomeIndex.get(acquire);
    return outcomeIndex === NONE
      ? `${client} got no answer`
      : `${client} failed (${(history.at(outcomeIndex) as AcquireFailed).code})`;
  });
  return {
    message:
      `Nobody could lock ${resourceText(tables, resource)} after all faults had healed (at ${formatTimeUs(tables.healedUs)}) and the ` +
      `longest time to live had passed (at ${formatTimeUs(dueUs)}): ${[...new Set(attempts)].join(', ')}.`,
    events: [
      tables.healedIndex,
      ...failed.flatMap((acquire) => [acquires.invokedIndex.get(acquire), acquires.outcomeIndex.get(acquire)]),
    ],
  };
}
