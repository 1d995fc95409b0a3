/** What came of one test. */
export interface Outcome {
  readonly title: string;
  readonly passed: boolean;
}

/** Why a test of an original does not pass; docs/migrating-from-redlock.md tells more. */
export interface Exception {
  readonly title: RegExp;
  readonly why: string;
}

const WORDING = 'compares the text of a message';

/** What is known not to pass, and why. */
export const EXCEPTIONS: Readonly<Record<string, readonly Exception[]>> = {
  'redlock 4': [
    { title: /unlock an already-unlocked/, why: 'a release that finds nothing is no error' },
    { title: /emits a clientError/, why: 'an acquire that fails does not wait for its last clean-up' },
    { title: /custom script functions/, why: 'scripts cannot be replaced' },
    { title: /should be backwards compatible/, why: 'calls a method that is not part of the API' },
  ],
  'redlock 5': [
    { title: /non-integer duration/, why: WORDING },
    { title: /redis is unreachable/, why: WORDING },
    { title: /fails when a majority of clients fail/, why: WORDING },
  ],
  'redlock 5, texts of messages not compared': [],
  '@sesamecare-oss/redlock, system': [
    { title: /non-integer duration/, why: WORDING },
    { title: /redis is unreachable/, why: WORDING },
  ],
  '@sesamecare-oss/redlock, system, texts of messages not compared': [],
  '@sesamecare-oss/redlock, unit, with a real client': [
    { title: /outside of acceptable range/, why: 'a database that makes no sense is refused' },
    { title: /Fail to acquire a lock if resource is already locked/, why: WORDING },
    { title: /Fail to acquire a lock on error/, why: 'mocks a command of the original' },
    { title: /release\(\)|extend\(\)/, why: 'extends or releases a lock that was made by hand' },
  ],
};

/** The tests of a JSON report of mocha. */
export function fromMocha(report: string): Outcome[] {
  const { tests } = JSON.parse(report) as { tests: { fullTitle: string; err: { message?: string } }[] };
  return tests.map(({ fullTitle, err }) => ({ title: fullTitle, passed: err.message === undefined }));
}

/** The tests of a TAP report of ava. */
export function fromTap(report: string): Outcome[] {
  return [...report.matchAll(/^(not )?ok \d+ - (.*)$/gm)].map(([, not, title]) => ({
    title: title ?? '',
    passed: not === undefined,
  }));
}

/** The tests of a JSON report of vitest. */
export function fromVitest(report: string): Outcome[] {
  const { testResults } = JSON.parse(report) as {
    testResults: { assertionResults: { fullName: string; status: string }[] }[];
  };
  return testResults.flatMap(({ assertionResults }) =>
    assertionResults.map(({ fullName, status }) => ({ title: fullName, passed: status === 'passed' })),
  );
}
