import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';

/**
 * Lists at the end what did not run. A suite that cannot run on this machine says why, and what would let it run,
 * in its title (`describe.skipIf`) or in the note of `context.skip`; this reporter makes sure that it is read.
 */
export class SkipReporter implements Reporter {
  readonly #print: (text: string) => void;
  #chosenByName = false;

  constructor(print: (text: string) => void = (text) => process.stdout.write(text)) {
    this.#print = print;
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
