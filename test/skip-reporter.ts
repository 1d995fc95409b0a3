import type { Reporter, TestCase, TestModule } from 'vitest/node';

/**
 * Lists at the end what did not run. A suite that cannot run on this machine says why, and what would let it run,
 * in its title (`describe.skipIf`) or in the note of `context.skip`; this reporter makes sure that it is read.
 */
export class SkipReporter implements Reporter {
  readonly #print: (text: string) => void;

  constructor(print: (text: string) => void = (text) => process.stdout.write(text)) {
    this.#print = print;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = new Map<string, number>();
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        const reason = `${module.relativeModuleId}\n    ${reasonOf(test)}`;
        counts.set(reason, (counts.get(reason) ?? 0) + 1);
      }
    }
    if (counts.size === 0) return;
    const lines = [...counts].map(([reason, count]) => `  ${reason} (${count} ${count === 1 ? 'test' : 'tests'})`);
    this.#print(`\nSkipped, so not proven by this run:\n${lines.join('\n')}\n\n`);
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
