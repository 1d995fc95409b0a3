import { checkScenario } from './load-checks.ts';
import { fileError, type ScenarioProblem, ScenarioError } from './load-error.ts';
import { explainIssue, problemsOf } from './load-issues.ts';
import { readYaml } from './load-yaml.ts';
import { type Scenario, scenarioSchema } from './schema.ts';

/** A scenario's name is the name of its folder among the reports, and a word on the command line. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/**
 * The scenario that a text in YAML describes, checked and with its defaults filled in. `file` is how messages call the text.
 * Throws a ScenarioError that lists everything that is wrong with it.
 */
export function parseScenario(text: string, file: string, name: string): Scenario {
  if (!NAME.test(name)) {
    throw fileError(
      file,
      `the file's name makes no scenario name; it must be letters, digits, - and _ (64 at most, the first no - or _), then .yaml`,
    );
  }
  const located = readYaml(text, file);
  const result = scenarioSchema.safeParse(located.data, { error: explainIssue });
  if (!result.success) throw new ScenarioError(file, problemsOf(result.error.issues, located));
  const problems: ScenarioProblem[] = [];
  checkScenario(result.data, (path, message, about) => problems.push(located.problem(path, message, about)));
  if (problems.length > 0) throw new ScenarioError(file, problems);
  return { ...result.data, name };
}
