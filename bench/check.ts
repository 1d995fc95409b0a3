/**
 * How fast a history is judged: `npm run bench:check`, with `--quick` for small histories only and `--json` for machines.
 * Histories of growing size show whether the time grows with the size or faster; a violation stands in the middle of every other one.
 */
import { parseArgs } from 'node:util';
import { CHECKERS } from '../sim/checkers/check-history.ts';
import { PROPERTIES } from '../sim/checkers/verdict.ts';
import { countOccurrences } from '../sim/history/occurrences.ts';
import { readTables, tablesOf } from '../sim/history/tables/table-reader.ts';
import type { Occurrence } from '../sim/scenario/moment.ts';
import { median } from './lock/statistics.ts';
import { syntheticHistory } from './synthetic-history.ts';

interface Measurement {
  readonly operations: number;
  readonly events: number;
  readonly messages: boolean;
  readonly violated: boolean;
  /** Milliseconds, medians of the rounds: reading the tables, each checker, and counting what must have happened. */
  readonly stepsMs: Readonly<Record<string, number>>;
  readonly totalMs: number;
  readonly eventsPerSecond: number;
  /** Properties found violated. */
  readonly violations: readonly string[];
}

const SIZES = [10_000, 100_000, 1_000_000];
const ROUNDS = 5;
const HAPPENED: readonly Occurrence[] = [
  { event: 'acquire-granted', phase: 'workload' },
  { event: 'command-executed', kind: 'acquire', reply: 'held' },
];

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
});

function measure(operations: number, messages: boolean, violated: boolean): Measurement {
  const history = syntheticHistory({ operations, messages, violated });
  const steps = new Map<string, number[]>();
  const violations: string[] = [];
  // Later reads find the tables that this one keeps.
  const tables = tablesOf(history);
  for (let round = 0; round < ROUNDS; round += 1) {
    time(steps, 'read', () => readTables(history));
    for (const property of PROPERTIES) {
      const verdict = time(steps, property, () => CHECKERS[property](history));
      if (round === 0 && verdict.status === 'violated') violations.push(property);
    }
    time(steps, 'happened', () => countOccurrences(history, HAPPENED));
  }
  const stepsMs = Object.fromEntries([...steps].map(([step, times]) => [step, median(times)]));
  const totalMs = Object.values(stepsMs).reduce((sum, ms) => sum + ms, 0);
  return {
    operations: tables.operations,
    events: history.length,
    messages,
    violated,
    stepsMs,
    totalMs,
    eventsPerSecond: Math.round((history.length / totalMs) * 1000),
    violations,
  };
}

function time<Result>(steps: Map<string, number[]>, step: string, run: () => Result): Result {
  const start = performance.now();
  const result = run();
  const elapsedMs = performance.now() - start;
  const times = steps.get(step);
  if (times === undefined) steps.set(step, [elapsedMs]);
  else times.push(elapsedMs);
  return result;
}

function kindText(messages: boolean, violated: boolean): string {
  return `${messages ? 'with' : 'without'} messages, ${violated ? 'violated' : 'clean'}`;
}

function describe(measurement: Measurement): string {
  const { operations, events, messages, violated, stepsMs, totalMs, eventsPerSecond, violations } = measurement;
  const steps = Object.entries(stepsMs).map(([step, ms]) => `${step} ${ms.toFixed(1)}`);
  return [
    `${operations.toLocaleString('en')} operations, ${events.toLocaleString('en')} events` +
      ` (${kindText(messages, violated)})`,
    `  ${totalMs.toFixed(1)} ms, ${(eventsPerSecond / 1e6).toFixed(1)} M events/s: ${steps.join(', ')}`,
    ...(violations.length === 0 ? [] : [`  violated: ${violations.join(', ')}`]),
  ].join('\n');
}

// Small histories first, many times over, so that what is measured is compiled.
for (let round = 0; round < 10; round += 1) measure(2000, true, round % 2 === 0);

const measurements: Measurement[] = [];
for (const operations of options.quick ? SIZES.slice(0, 2) : SIZES) {
  for (const messages of [false, true]) {
    for (const violated of [false, true]) {
      const measurement = measure(operations, messages, violated);
      measurements.push(measurement);
      if (!options.json) console.log(describe(measurement));
    }
  }
}
if (options.json) {
  console.log(JSON.stringify(measurements, null, 2));
} else {
  console.log(
    'Microseconds for each operation, by the size of the history (the same at every size: the time is linear)',
  );
  for (const messages of [false, true]) {
    for (const violated of [false, true]) {
      const costs = measurements
        .filter((measurement) => measurement.messages === messages && measurement.violated === violated)
        .map(
          ({ operations, totalMs }) =>
            `${operations.toLocaleString('en')}: ${((totalMs * 1000) / operations).toFixed(2)}`,
        );
      console.log(`  ${kindText(messages, violated)}: ${costs.join(', ')}`);
    }
  }
}
