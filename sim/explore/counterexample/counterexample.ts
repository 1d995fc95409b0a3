import type { PropertyVerdict } from '../../checkers/verdict.ts';
import type { HistoryEvent } from '../../history/event.ts';
import { eventsOf } from '../../history/events-of.ts';
import type { History } from '../../history/history.ts';
import { eventText, isMainEvent } from '../../report/event-text.ts';
import { parseScenario } from '../../scenario/load-text.ts';
import type { Occurrence } from '../../scenario/moment.ts';
import type { Scenario } from '../../scenario/schema.ts';
import { formatTimeUs } from '../../text/duration-text.ts';
import { BOUNDS } from '../envelope/envelope.ts';
import type { Execution } from '../execute.ts';
import { isDefect, type Symptom } from '../finding.ts';
import { scenarioYaml } from '../../scenario/write-yaml.ts';
import type { Shrunken } from '../shrink/shrink.ts';

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
  timeliness: 'A call takes longer than its time outs allow',
  'clean-up': 'A value that nobody relies on is left on a node',
  vote: 'An attempt ends otherwise than its votes say',
  validity: 'A lock is valid for longer or shorter than its time to live allows',
  attempts: 'An acquire tries more or less often than it was told',
  extension: 'An extension ends otherwise than its votes say',
  release: 'A release ends otherwise than its votes say',
  refusal: 'A time to live is refused that may be had, or had that must be refused',
  'run-failed': 'The run fails',
};

/** Lines of the story at the most: what is small is short. */
const MOST_LINES = 24;
/** What says nothing that a story's other events do not. */
const UNIMPORTANT: ReadonlySet<HistoryEvent['type']> = new Set([
  'run-started',
  'acquire-invoked',
  'fault-ended',
  'node-clock-changed',
  'client-clock-changed',
  'workload-ended',
]);
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
    lesson: lessonOf(shrunken, execution, replay),
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
  for (const event of history === null ? [] : eventsOf(history)) {
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

function lessonOf({ finding, trial, isCutShort }: Shrunken, execution: Execution, replay: string): string {
  const { symptom, because, message } = finding;
  const bounds = because.map((bound) => BOUNDS[bound]);
  const paragraphs = [
    storyOf(execution, symptom),
    symptom === 'run-failed' ? `So the run fails: ${message}` : `So ${symptom} is violated. ${message}`,
    ...bounds.map(({ inside, remedy }) => `Redlock takes for granted that ${inside}. Here it is not so. ${remedy}`),
    ...(bounds.length === 0
      ? ['Nothing here is outside of what Redlock takes for granted: it is a defect of the library, or of the testbed.']
      : []),
    `Found by explore, with seed ${trial.seed} of the simulation, and made ${isCutShort ? 'smaller until it was interrupted' : 'as small as it could be'}. This makes the run as it was drawn small again: ${replay}`,
  ];
  return paragraphs
    .filter((paragraph) => paragraph !== '')
    .map(wrapped)
    .join('\n\n');
}

/** What happened up to the violation, as far as it matters, with a line for each event. */
function storyOf({ history, verdicts }: Execution, symptom: Symptom): string {
  const verdict = verdicts.find(({ property }) => property === symptom);
  const proof = verdict?.status === 'violated' ? (verdict.violations[0]?.events ?? []) : [];
  const last = proof.at(-1) ?? Number.POSITIVE_INFINITY;
  const lines: string[] = [];
  const events = history === null ? [] : [...eventsOf(history)];
  for (const [index, event] of events.entries()) {
    if (index > last) break;
    if (proof.includes(index) || matters(event)) lines.push(`At ${formatTimeUs(event.timeUs)}: ${eventText(event)}`);
  }
  if (lines.length <= MOST_LINES) return lines.join('\n');
  // How it began and how it ended says most.
  return [...lines.slice(0, MOST_LINES / 2), '…', ...lines.slice(-MOST_LINES / 2)].join('\n');
}

function matters(event: HistoryEvent): boolean {
  return isMainEvent(event) && !UNIMPORTANT.has(event.type);
}

/** The text with its words on lines that people can read; lines stay apart. */
function wrapped(text: string): string {
  return text.split('\n').map(wrappedLine).join('\n');
}

function wrappedLine(text: string): string {
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
