import type { PropertyVerdict } from '../checkers/verdict.ts';
import type { HistoryEvent } from '../history/event.ts';
import type { History } from '../history/history.ts';
import { eventText, isMainEvent } from '../report/event-text.ts';
import { parseScenario } from '../scenario/load-text.ts';
import type { Occurrence } from '../scenario/moment.ts';
import type { Scenario } from '../scenario/schema.ts';
import { formatTimeUs } from '../text/duration-text.ts';
import { BOUNDS } from './envelope.ts';
import type { Execution } from './execute.ts';
import { isDefect, type Symptom } from './finding.ts';
import { scenarioYaml } from './scenario-yaml.ts';
import type { Shrunken } from './shrink.ts';

/** A counterexample as a scenario file. */
export interface CounterexampleFile {
  /** Of the scenario, and of its file without `.yaml`. */
  readonly name: string;
  readonly text: string;
  /** As the loader reads the text. */
  readonly scenario: Scenario;
}

const SYMPTOM_TITLES: Readonly<Record<Symptom, string>> = {
  'mutual-exclusion': 'Two leases on one lock are valid at once',
  'critical-section': 'Two clients do the protected work at once',
  'resource-integrity': 'A write of an older lease is taken after one of a newer lease',
  'token-order': 'Fencing tokens do not rise with the leases',
  'release-safety': 'A client changes a key that is not its own',
  'deadlock-freedom': 'Nobody can take the lock although everything is healed',
  availability: 'An acquire fails although it could have been granted',
  'run-failed': 'The run fails',
};

/** Sentences of the story at the most: what is small is short. */
const MOST_SENTENCES = 24;
const LINE_WIDTH = 116;

/**
 * Writes the smallest run as a scenario: with what must happen, the verdicts that are expected, and a lesson that tells what happened. Outside
 * the envelope those are the verdicts that the run had. A defect's scenario expects what should have been, and fails until the defect
 * is gone. `replay` is the command that finds it again.
 */
export function counterexampleFile(shrunken: Shrunken, execution: Execution, replay: string): CounterexampleFile {
  const { finding, trial } = shrunken;
  const { symptom, because } = finding;
  const defect = isDefect(finding);
  const name = defect ? `defect-${symptom}` : `${symptom}-without-${because.join('-and-')}`.slice(0, 64);
  const reasons = because.map((bound) => BOUNDS[bound].outside).join(', and ');
  const title = defect
    ? `${SYMPTOM_TITLES[symptom]}, although the world keeps within the envelope`
    : `${SYMPTOM_TITLES[symptom]}: ${reasons}`;
  const text = scenarioYaml({
    ...trial.scenario,
    name,
    title,
    happened: happenedIn(execution.history),
    expect: expectationsOf(execution.verdicts, defect ? symptom : null),
    lesson: lessonOf(shrunken, execution.history, replay),
  });
  return { name, text, scenario: parseScenario(text, `${name}.yaml`, name) };
}

function expectationsOf(verdicts: readonly PropertyVerdict[], defective: Symptom | null): Scenario['expect'] {
  // Of a run that failed nothing is known: the least to be expected is that it can be judged.
  if (verdicts.length === 0) return { 'mutual-exclusion': 'ok' };
  const expected: Scenario['expect'] = {};
  for (const { property, status } of verdicts) {
    if (status !== 'unknown') expected[property] = property === defective ? 'ok' : status;
  }
  return expected;
}

/** Every fault began, and whoever was granted the lock was: else the verdict would prove something else. */
function happenedIn(history: History | null): Occurrence[] {
  const patterns = new Map<string, { occurrence: Occurrence; count: number }>();
  for (const event of eventsOf(history)) {
    if (event.type === 'healed') break;
    const occurrence = occurrenceOf(event);
    if (occurrence === null) continue;
    const key = JSON.stringify(occurrence);
    const known = patterns.get(key);
    if (known === undefined) patterns.set(key, { occurrence, count: 1 });
    else known.count += 1;
  }
  return [...patterns.values()].map(({ occurrence, count }) =>
    count === 1 ? occurrence : { ...occurrence, atLeast: count },
  );
}

function occurrenceOf(event: HistoryEvent): Occurrence | null {
  if (event.type === 'fault-started') return { event: 'fault-started', kind: event.kind };
  if (event.type === 'acquire-granted') return { event: 'acquire-granted', client: event.client, phase: 'workload' };
  return null;
}

function lessonOf({ finding, trial }: Shrunken, history: History | null, replay: string): string {
  const { symptom, because, message } = finding;
  const bounds = because.map((bound) => BOUNDS[bound]);
  const paragraphs = [
    ...storyOf(history),
    symptom === 'run-failed' ? `So the run fails: ${message}` : `So ${symptom} is violated. ${message}`,
    ...bounds.map(({ inside, remedy }) => `Redlock takes for granted that ${inside}. Here it is not so. ${remedy}`),
    ...(bounds.length === 0
      ? ['Nothing here is outside of what Redlock takes for granted: it is a defect of the library, or of the testbed.']
      : []),
    `Found by explore and made as small as it could be, with seed ${trial.seed} of the simulation: ${replay}`,
  ];
  return paragraphs.map(wrapped).join('\n\n');
}

/** What happened, as far as it matters, in one paragraph. */
function storyOf(history: History | null): string[] {
  const sentences: string[] = [];
  for (const event of eventsOf(history)) {
    if (event.type === 'workload-ended') break;
    if (!isMainEvent(event) || event.type === 'run-started' || event.type === 'fault-ended') continue;
    sentences.push(`At ${formatTimeUs(event.timeUs)}: ${eventText(event)}`);
  }
  if (sentences.length === 0) return [];
  const shown = sentences.slice(0, MOST_SENTENCES);
  if (shown.length < sentences.length) shown.push('And so on.');
  return [shown.join(' ')];
}

function* eventsOf(history: History | null): Generator<HistoryEvent> {
  for (let index = 0; index < (history?.length ?? 0); index += 1) yield (history as History).at(index);
}

/** The text with its words on lines that people can read. */
function wrapped(text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + word.length + 1 > LINE_WIDTH) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}
