import { describe, expect, it } from 'vitest';
import { COLUMNS, type Column } from './columns.ts';
import { CONTENDERS } from './contenders.ts';
import type { SpeedOutcome } from './measurement.ts';
import { speedPlot } from './plot.ts';
import { report } from './report.ts';
import type { LockResults } from './results.ts';

function outcome(contender: string, speeds: readonly number[]): SpeedOutcome {
  const rounds = speeds.map((cyclesPerSecond) => ({
    cyclesPerSecond,
    cpuUsPerCycle: 1e6 / cyclesPerSecond,
    serverCpuUsPerCycle: 7,
  }));
  return { contender, rounds, healthyRounds: null, failures: 0, firstFailure: null };
}

/** With a node in trouble, and without. */
function twin(contender: string, speeds: readonly number[], healthySpeeds: readonly number[]): SpeedOutcome {
  return { ...outcome(contender, speeds), healthyRounds: outcome(contender, healthySpeeds).rounds };
}

function resultsOf(outcomes: Readonly<Record<string, readonly SpeedOutcome[]>>): LockResults {
  return {
    date: '2026-01-01',
    machine: 'a machine',
    versions: { 'redlock-4': '4.2.0' },
    pinned: true,
    loadBefore: 0.5,
    rounds: 2,
    roundMs: 300,
    seed: 1,
    speed: Object.entries(outcomes).map(([id, each]) => ({
      column: COLUMNS.find((column) => column.id === id) as Column,
      outcomes: each,
    })),
    cost: [],
  };
}

const floor = outcome('floor', [100, 200]);

describe('the report of bench:lock', () => {
  it('divides by the floor round by round, and says of whom it speaks', () => {
    const results = resultsOf({ '5-50': [outcome('distrilock', [500, 1000]), floor, outcome('redlock-4', [50, 100])] });
    const text = report(results, CONTENDERS);
    expect(text).toContain('| distrilock | 5.00 ± 0.00 |');
    expect(text).toContain('| redlock 4.2.0 | 0.50 ± 0.00 |');
    expect(text).toContain('| 5 nodes, 50 at a time: at least 5 of the raw commands | 5.00 | yes |');
  });

  it('says plainly what was not reached', () => {
    const results = resultsOf({ '5-50': [outcome('distrilock', [499, 998]), floor, outcome('redlock-4', [900, 900])] });
    const text = report(results, CONTENDERS);
    expect(text).toContain('| 4.99 | **no** |');
    expect(text).toMatch(/faster than every other library .* \| \*\*no\*\* \|/);
  });

  it('says who finished nothing, and what failed', () => {
    const stuck = { ...outcome('redlock-4', []), failures: 3, firstFailure: 'Error: timed out\n    at somewhere' };
    const text = report(resultsOf({ '5-seq-hung': [outcome('distrilock', [100, 200]), floor, stuck] }), CONTENDERS);
    expect(text).toContain('| redlock 4.2.0 | none finish |');
    expect(text).toContain('redlock 4.2.0: 3, the first: Error: timed out\n');
  });

  it('holds a node in trouble against healthy ones of the same round, not of another column', () => {
    const results = resultsOf({
      '5-50': [outcome('distrilock', [9000, 9000]), floor],
      '5-50-hung': [twin('distrilock', [100, 1900], [100, 2000]), twin('floor', [50, 50], [100, 100])],
    });
    const text = report(results, CONTENDERS);
    expect(text).toContain(
      '|  | 5 nodes, one hung, 50 at a time |\n| --- | ---: |\n| distrilock | 0.97 ± 0.01 / 1.03 ± 0.01 |',
    );
    expect(text).toContain('| raw commands, quorum | 0.50 ± 0.00 / 2.00 ± 0.00 |');
    expect(text).toContain(
      '| 5 nodes, one hung, 50 at a time: no slower than without (0.9 at least) | 0.97 ± 0.01; the raw commands 0.50 ± 0.00 | yes |',
    );
    const slower = resultsOf({ '5-50-hung': [twin('distrilock', [89, 89], [100, 100])] });
    expect(report(slower, CONTENDERS)).toContain('(0.9 at least) | 0.89 ± 0.00 | **no** |');
    expect(report(resultsOf({ '5-50': [outcome('distrilock', [1, 1])] }), CONTENDERS)).not.toContain('in trouble');
  });

  it('leaves out what was not measured', () => {
    const text = report(resultsOf({ '1-seq': [outcome('distrilock', [90, 190]), floor] }), CONTENDERS);
    expect(text).not.toContain('redis-semaphore');
    expect(text).not.toContain('heap');
  });

  it('draws distrilock beside the others, or says what is missing', () => {
    const results = resultsOf({ '5-50': [outcome('distrilock', [500, 1000]), floor] });
    expect(speedPlot(results, CONTENDERS)).toContain('>distrilock</text>');
    expect(() => speedPlot(resultsOf({}), CONTENDERS)).toThrow('5-50');
  });
});
