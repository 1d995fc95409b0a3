import { describe, expect, it } from 'vitest';
import { startVitest } from 'vitest/node';
import { SkipReporter } from './skip-reporter.ts';

const root = new URL('..', import.meta.url).pathname;

async function reportOf(file: string, namePattern?: string): Promise<string> {
  return (await outcomeOf(file, { namePattern })).printed;
}

async function outcomeOf(
  file: string,
  { namePattern, mayNotSkip = false }: { readonly namePattern?: string | undefined; readonly mayNotSkip?: boolean },
): Promise<{ printed: string; failures: number }> {
  let printed = '';
  let failures = 0;
  const vitest = await startVitest('test', [], {
    root,
    config: false,
    watch: false,
    include: [file],
    reporters: [new SkipReporter({ print: (text) => (printed += text), mayNotSkip, fail: () => (failures += 1) })],
    ...(namePattern === undefined ? {} : { testNamePattern: namePattern }),
  });
  await vitest.close();
  return { printed, failures };
}

describe('the reporter of skipped tests', () => {
  it('says at the end what did not run, why, and how to let it run', async () => {
    expect((await reportOf('test/fixtures/suites-that-skip.ts')).trim().split('\n')).toEqual([
      'Skipped, so not proven by this run:',
      '  against a real server (needs a server: install one)',
      '    2 tests in test/fixtures/suites-that-skip.ts',
      '  needs a tool: build it',
      '    1 test in test/fixtures/suites-that-skip.ts',
    ]);
  });

  it('says nothing where the caller chose tests by name', async () => {
    expect(await reportOf('test/fixtures/suites-that-skip.ts', 'runs')).toBe('');
  });

  it('fails the run where nothing may be skipped, and something was', async () => {
    const { printed, failures } = await outcomeOf('test/fixtures/suites-that-skip.ts', { mayNotSkip: true });
    expect(printed).toContain('That fails the run, for DISTRILOCK_TEST_NO_SKIPS is set.');
    expect(failures).toBe(1);
    expect((await outcomeOf('test/fixtures/suites-that-skip.ts', {})).failures).toBe(0);
  });

  it('does not fail the run for what can run nowhere', async () => {
    const { printed, failures } = await outcomeOf('test/fixtures/suite-that-runs-nowhere.ts', { mayNotSkip: true });
    expect(printed).toContain('against a clock that stands still (possible nowhere: it goes on)');
    expect(failures).toBe(0);
  });

  it('says nothing where everything ran', async () => {
    expect(await reportOf('test/fixtures/suite-that-runs.ts')).toBe('');
  });
});
