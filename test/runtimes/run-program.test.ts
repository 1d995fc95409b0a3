import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { complaint, runProgram } from './run-program.ts';

const CALLED = 'node 2';
const RESULT = `console.log(JSON.stringify({ runtime: 'node 20.0.0' }));`;
const STAYS = 'setInterval(() => undefined, 1_000);';
/** Generous where the program is expected to end, so that a busy machine makes no difference. */
const LIMITS = { totalMs: 120_000, endMs: 120_000 };

async function complaintAbout(code: string, limits = LIMITS): Promise<string | null> {
  return complaint(await runProgram([process.execPath, '-e', code], tmpdir(), {}, limits), CALLED, limits);
}

describe('a program that a runtime runs', () => {
  it('passes when it prints its result and ends by itself', async () => {
    expect(await complaintAbout(RESULT)).toBeNull();
  });

  it.each([
    ['fails', `${RESULT} process.exit(3);`, 'ended with exit code 3'],
    ['throws', `${RESULT} throw new Error('no lock');`, /^ended with exit code 1\n[^]*no lock/],
    ['is killed', `${RESULT} process.kill(process.pid, 'SIGKILL');`, 'ended with a signal'],
    ['forgets a promise', 'new Promise(() => undefined).then(() => console.log(0));', /^ended without a result: /],
    ['runs elsewhere', `console.log('{"runtime":"bun 1.0"}');`, 'ran on bun 1.0, where "node 2" was wanted'],
    ['warns', `${RESULT} console.error('careful');`, 'printed to stderr:\ncareful'],
  ])('does not pass when it %s', async (_how, code, wanted) => {
    expect(await complaintAbout(code)).toStrictEqual(
      typeof wanted === 'string' ? wanted : expect.stringMatching(wanted),
    );
  });

  it('does not pass when something keeps it alive', async () => {
    expect(await complaintAbout(RESULT + STAYS, { ...LIMITS, endMs: 50 })).toMatch(
      /^printed its result, and did not end/,
    );
  });

  it('does not pass when it never prints a result', async () => {
    expect(await complaintAbout(`console.error('waiting');${STAYS}`, { ...LIMITS, totalMs: 1_000 })).toMatch(
      /^not done after 1 s/,
    );
  });
});
