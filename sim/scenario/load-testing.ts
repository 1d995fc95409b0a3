import { ScenarioError } from './load-error.ts';
import { parseScenario } from './load-text.ts';

/** How tests call the file that they load. */
export const FILE = 'own/two-clients.yaml';

/** The smallest scenario, by its top keys, one a line; a test changes or adds lines. */
const LINES: Readonly<Record<string, string>> = {
  title: 'title: Two clients want one lock',
  settings: 'settings: { nodes: 5, ttl: 10s }',
  clients: 'clients: { A: , B: }',
  workload: 'workload: [{ steps: [{ acquire: { resource: r } }, { work: 1s }, release] }]',
  expect: 'expect: { mutual-exclusion: ok }',
  lesson: 'lesson: One at a time.',
};

/** A scenario for tests; line 7 is the first that a test adds. */
export function scenarioText(changes: Readonly<Record<string, string>> = {}): string {
  return `${Object.values({ ...LINES, ...changes }).join('\n')}\n`;
}

/** The lines of the error that a text gives; none if it is a good scenario. */
export function problemsOfText(text: string, name = 'two-clients'): readonly string[] {
  try {
    parseScenario(text, FILE, name);
  } catch (error) {
    if (error instanceof ScenarioError) return error.message.split('\n');
    throw error;
  }
  return [];
}
