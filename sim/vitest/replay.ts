import { relative } from 'node:path';
import { shellQuote } from '../text/shell-quote.ts';

/** Set to a seed, it makes every scenario run once, with that seed: a failure can be run again without a change to the test. */
const SEED_VARIABLE = 'DISTRILOCK_SEED';

/** The one seed that the environment asks for; null if it asks for none. Throws a RangeError if it is no seed. */
export function replaySeed(environment: Readonly<Record<string, string | undefined>>): number | null {
  const text = environment[SEED_VARIABLE];
  if (text === undefined || text === '') return null;
  const seed = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(seed)) {
    throw new RangeError(
      `The variable ${SEED_VARIABLE} must be a seed, a whole number from 0, not ${JSON.stringify(text)}`,
    );
  }
  return seed;
}

/** Where a matcher was called, as far as vitest tells. */
export interface TestPlace {
  readonly testPath?: string | undefined;
  /** Names of suites and of the test, with ` > ` between them. */
  readonly currentTestName?: string | undefined;
}

/** The command that runs one test again, with this seed or (null) with all of its own. */
export function replayCommand({ testPath, currentTestName }: TestPlace, seed: number | null): string {
  const words = ['npx vitest run'];
  if (testPath !== undefined) words.push(shellQuote(relative('', testPath)));
  if (currentTestName !== undefined) words.push(`-t ${shellQuote(patternOf(currentTestName))}`);
  return seed === null ? words.join(' ') : `${SEED_VARIABLE}=${seed} ${words.join(' ')}`;
}

/** A pattern for the option -t, which vitest holds against the names with blanks between them. */
function patternOf(testName: string): string {
  return testName
    .split(' > ')
    .map((name) => name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('( >)? ');
}
