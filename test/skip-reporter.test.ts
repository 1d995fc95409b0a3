import { describe, expect, it } from 'vitest';
import { startVitest } from 'vitest/node';
import { SkipReporter } from './skip-reporter.ts';

const root = new URL('..', import.meta.url).pathname;

async function reportOf(file: string, namePattern?: string): Promise<string> {
  let printed = '';
  const vitest = await startVitest('test', [], {
    root,
    config: false,
    watch: false,
    include: [file],
    reporters: [new SkipReporter((text) => (printed += text))],
    ...(namePattern === undefined ? {} : { testNamePattern: namePattern }),
  });
  await vitest.close();
  return printed;
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

  it('says nothing where everything ran', async () => {
    expect(await reportOf('test/fixtures/suite-that-runs.ts')).toBe('');
  });
});
