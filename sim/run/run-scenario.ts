import { judge } from '../judge/judge.ts';
import type { Judgement } from '../judge/judgement.ts';
import type { HistoryEvent } from '../history/event.ts';
import type { History } from '../history/history.ts';
import { renderRunReport } from '../report/run-report.ts';
import type { Scenario } from '../scenario/schema.ts';
import type { Testbed } from '../testbed/testbed.ts';
import { HistoryFile } from '../results/history-file.ts';
import { RUN_FILES, writeWhole } from '../results/results-folder.ts';

/** How far a run is: what it is about before the scenario begins, or what has happened so far. */
export type RunProgress = { readonly step: string } | { readonly timeUs: number; readonly events: number };

export interface RunScenarioOptions {
  readonly seed: number;
  /** The one command that runs this again. */
  readonly replay: string;
  /** The path of a file of this run, by its name in RUN_FILES. */
  readonly path: (file: string) => string;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: RunProgress) => void;
}

/**
 * Runs a scenario once, judges it, and writes its history (while it happens), its verdict and its report. Null when the signal cut it
 * short: then there is only a history. Rejects with an OutputError if something cannot be written, with a TestbedUnavailableError if
 * the testbed cannot run here after all; any other error is a defect. What was written before stays.
 */
export async function runScenario(
  testbed: Testbed,
  scenario: Scenario,
  options: RunScenarioOptions,
): Promise<Judgement | null> {
  const { replay, path, signal } = options;
  const history = await recordRun(testbed, scenario, options);
  if (signal.aborted && !isComplete(history)) return null;
  const judgement = judge(history, scenario, replay);
  writeWhole(path(RUN_FILES.verdict), `${JSON.stringify(judgement, null, 2)}\n`);
  writeWhole(path(RUN_FILES.report), renderRunReport(history, judgement));
  return judgement;
}

async function recordRun(testbed: Testbed, scenario: Scenario, options: RunScenarioOptions): Promise<History> {
  const { seed, path, signal, onProgress } = options;
  const file = new HistoryFile(path(RUN_FILES.history));
  let timeUs = 0;
  let events = 0;
  function* counted(stretch: Iterable<HistoryEvent>): Generator<HistoryEvent> {
    for (const event of stretch) {
      timeUs = event.timeUs;
      events += 1;
      yield event;
    }
  }
  try {
    return await testbed.run(scenario, {
      seed,
      signal,
      partsFolder: path(RUN_FILES.parts),
      onStep: (step) => onProgress({ step }),
      onEvents: (stretch) => {
        file.append(counted(stretch));
        onProgress({ timeUs, events });
      },
    });
  } finally {
    file.close();
  }
}

function isComplete(history: History): boolean {
  const last = history.length === 0 ? null : history.at(history.length - 1);
  return last?.type === 'run-ended' && last.reason === 'completed';
}
