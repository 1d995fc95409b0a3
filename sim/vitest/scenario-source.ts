import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import { checkScenario } from '../scenario/load-checks.ts';
import { fileError, type ScenarioProblem, ScenarioError } from '../scenario/load-error.ts';
import { explainIssue, problemsOf } from '../scenario/load-issues.ts';
import { formatPath, type PathStep } from '../scenario/load-positions.ts';
import { parseScenario } from '../scenario/load-text.ts';
import type { LocatedData } from '../scenario/load-yaml.ts';
import { loadScenario } from '../scenario/load.ts';
import type { Occurrence } from '../scenario/moment.ts';
import { type Scenario, scenarioSchema, type Script } from '../scenario/schema.ts';
import type { ScenarioInput } from './scenario-input.ts';

/** How messages call a scenario that came from no file. */
const WITHOUT_FILE = 'scenario';

const { title, lesson, clients, workload, happened, expect } = scenarioSchema.shape;

/** A scenario in a test needs no prose, and says only what matters to the test. */
const inputSchema = scenarioSchema.extend({
  title: title.default('a scenario of a test'),
  lesson: lesson.default('What the test says.'),
  clients: clients.prefault(3),
  workload: workload.optional(),
  happened: happened.unwrap().optional(),
  expect: expect.default({}),
});

/** What {@link scenarioFrom} takes as an object; {@link ScenarioInput} says the same without zod, and a test holds the two together. */
export type ParsedInput = z.input<typeof inputSchema>;

/**
 * The checked scenario that an object, a text in YAML, or the path of a YAML file stands for. A file or a text must be whole, as for the
 * command line; an object may leave anything out. Throws a ScenarioError that lists everything that is wrong with it.
 */
export function scenarioFrom(source: ScenarioInput | string | URL): Scenario {
  if (source instanceof URL) return loadScenario(fileURLToPath(source));
  if (typeof source !== 'string') return fromObject(source);
  if (source.includes('\n')) return parseScenario(source, WITHOUT_FILE, WITHOUT_FILE);
  if (/[/\\]|\.ya?ml$/i.test(source)) return loadScenario(source);
  throw fileError(
    source,
    'is neither a path nor a scenario; a path contains a / or ends in .yaml, and a text in YAML has several lines',
  );
}

function fromObject(source: ScenarioInput): Scenario {
  const located = unlocated(source);
  const result = inputSchema.safeParse(source, { error: explainIssue });
  if (!result.success) throw new ScenarioError(WITHOUT_FILE, problemsOf(result.error.issues, located));
  const { data } = result;
  const scenario: Scenario = {
    ...data,
    name: WITHOUT_FILE,
    workload: data.workload ?? [tenRounds(data.settings.ttl)],
    happened: data.happened ?? allFaultsBegin(data.faults),
  };
  const problems: ScenarioProblem[] = [];
  checkScenario(scenario, (path, message, about) => problems.push(located.problem(path, message, about)));
  if (problems.length > 0) throw new ScenarioError(WITHOUT_FILE, problems);
  return scenario;
}

/** An object in a program has no lines and columns. */
function unlocated(data: unknown): LocatedData {
  return {
    data,
    problem: (path: readonly PathStep[], message: string) => ({
      line: null,
      column: null,
      path: formatPath(path),
      message,
    }),
  };
}

/** Work that fits into the lock many times, whatever its time to live: what it then loses, it loses to faults. */
function tenRounds(ttlMs: number): Script {
  const shortWhile = { minMs: 0, maxMs: ttlMs / 10 };
  return {
    clients: 'all',
    repeat: 10,
    steps: [{ acquire: { resource: 'stock' } }, { work: shortWhile }, 'write', 'release', { rest: shortWhile }],
  };
}

/** A fault that never began proves nothing. */
function allFaultsBegin(faults: Scenario['faults']): Occurrence[] {
  const kinds = faults.map(({ fault }) => fault);
  return [...new Set(kinds)].map((kind) => ({
    event: 'fault-started',
    kind,
    atLeast: kinds.filter((each) => each === kind).length,
  }));
}
