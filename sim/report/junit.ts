import junitModule, { type Builder } from 'junit-report-builder';
import { outcomeMeaning } from './outcome.ts';
import type { RunSummary, ScenarioSummary, Summary } from '../results/summary.ts';
import { visibleText } from '../text/visible-text.ts';

// The package's types promise an ES module with a default export, but what one imports is CommonJS.
const junit = junitModule as unknown as Builder;

/**
 * A summary as JUnit XML, for CI: a test suite for each scenario and backend, a test case for each seed. A run that is not as
 * expected is a failure; one that is unknown is an error, and so is a summary without runs, or one that was cut short: none may pass for a success. What was
 * skipped is skipped here too, with the reason as its output.
 */
export function renderJUnit(summary: Summary): string {
  const builder = junit.newBuilder().name('distrilock');
  if (summary.totals.runs === 0) {
    builder
      .testSuite()
      .name('distrilock')
      .testCase()
      .className('distrilock')
      .name('runs')
      .error('There are no runs.', 'unknown');
  }
  const { runs, missing } = summary.totals;
  if (missing > 0) {
    builder
      .testSuite()
      .name('distrilock')
      .testCase()
      .className('distrilock')
      .name('all runs')
      .error(`Cut short: ${missing} of ${runs + missing} runs never came to their end.`, 'unknown');
  }
  for (const scenario of summary.scenarios) {
    const name = visibleText(scenario.scenario);
    const backend = visibleText(scenario.backend);
    const suite = builder.testSuite().name(`${name} (${backend})`);
    suite.property('title', visibleText(scenario.title)).property('backend', backend);
    for (const run of scenario.runs) {
      const testCase = suite.testCase().className(`${backend}.${name}`).name(`${name}, seed ${run.seed}`);
      if (run.outcome === 'not-as-expected') {
        testCase.failure(messageOf(run), run.outcome).stacktrace(detailsOf(scenario, run));
      } else if (run.outcome === 'unknown') {
        testCase.error(messageOf(run), run.outcome, detailsOf(scenario, run));
      }
    }
  }
  for (const skipped of summary.skipped) {
    const name = visibleText(skipped.scenario);
    const backend = visibleText(skipped.backend);
    const suite = builder.testSuite().name(`${name} (${backend})`);
    suite.property('title', visibleText(skipped.title)).property('backend', backend);
    const testCase = suite.testCase().className(`${backend}.${name}`).name(name);
    const reason = cdataText([
      `skipped: ${skipped.reason}`,
      ...(skipped.remedy === null ? [] : [`remedy: ${skipped.remedy}`]),
    ]);
    // Tried in vain is no plan of anybody.
    if (skipped.wasTried) testCase.error(visibleText(skipped.reason), 'unavailable', reason);
    else testCase.skipped().standardOutput(reason);
  }
  return `${builder.build()}\n`;
}

function messageOf({ outcome, reasons }: RunSummary): string {
  return visibleText(reasons.length === 0 ? outcomeMeaning(outcome) : reasons.join(' '));
}

/** What one needs to look into it, without the report at hand. */
function detailsOf(scenario: ScenarioSummary, run: RunSummary): string {
  const expected = scenario.properties.flatMap(({ property, expected }) =>
    expected === null ? [] : [`${property} ${expected}`],
  );
  const lines = [
    ...run.reasons,
    `expected: ${expected.join(', ')}`,
    `violated: ${run.violated.join(', ') || 'none'}`,
    `could not be judged: ${run.unknown.join(', ') || 'none'}`,
    `report: ${run.folder}/report.html`,
    `run it again: ${run.replay}`,
  ];
  return cdataText(lines);
}

/** The builder puts this into a CDATA section, and of several `]]>` in it escapes only the first. */
function cdataText(lines: readonly string[]): string {
  return lines.map(visibleText).join('\n').replaceAll(']]>', ']] >');
}
