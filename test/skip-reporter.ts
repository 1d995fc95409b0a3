import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';

/** Part of the title of a suite that can run on no machine, whatever is installed. */
export const NOWHERE = 'possible nowhere';

/** Set to 1 where everything is installed that a test may want: what is skipped all the same fails the run. */
const NO_SKIPS_VARIABLE = 'DISTRILOCK_TEST_NO_SKIPS';

export interface SkipReporterOptions {
  readonly print?: (text: string) => void;
  /** Whether tests that are skipped, and are not `NOWHERE`, make the run fail. */
  readonly mayNotSkip?: boolean;
  readonly fail?: () => void;
}

/**
 * Lists at the end what did not run. A suite that cannot run on this machine says why, and what would let it run,
 * in its title (`describe.skipIf`) or in the note of `context.skip`; this reporter makes sure that it is read.
 */
export class SkipReporter implements Reporter {
  readonly #print: (text: string) => void;
  readonly #mayNotSkip: boolean;
  readonly #fail: () => void;
  #chosenByName = false;

  constructor({
    print = (text) => process.stdout.write(text),
    mayNotSkip = process.env[NO_SKIPS_VARIABLE] === '1',
    fail = () => (process.exitCode = 1),
  }: SkipReporterOptions = {}) {
    this.#print = print;
    this.#mayNotSkip = mayNotSkip;
    this.#fail = fail;
  }

  onInit(vitest: Vitest): void {
    this.#chosenByName = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    // Tests that the caller left out by a name pattern are skipped too, and cannot be told apart.
    if (this.#chosenByName) return;
    const filesByReason = new Map<string, string[]>();
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        const reason = reasonOf(test);
        filesByReason.set(reason, [...(filesByReason.get(reason) ?? []), module.relativeModuleId]);
      }
    }
    if (filesByReason.size === 0) return;
    const lines = [...filesByReason].map(([reason, files]) => {
      const tests = files.length === 1 ? '1 test' : `${files.length} tests`;
      return `  ${reason}\n    ${tests} in ${[...new Set(files)].join(', ')}\n`;
    });
    this.#print(`\nSkipped, so not proven by this run:\n${lines.join('')}\n`);
    if (!this.#mayNotSkip || [...filesByReason.keys()].every((reason) => reason.includes(NOWHERE))) return;
    this.#print(`That fails the run, for ${NO_SKIPS_VARIABLE} is set.\n\n`);
    this.#fail();
  }
}

/** The note of a skip, or else the title of the outermost skipped suite, or else that of the test. */
function reasonOf(test: TestCase): string {
  const result = test.result();
  if (result.state === 'skipped' && result.note !== undefined) return result.note;
  let reason = test.name;
  for (let parent = test.parent; parent.type === 'suite'; parent = parent.parent) {
    if (parent.options.mode === 'skip') reason = parent.name;
  }
  return reason;
}
