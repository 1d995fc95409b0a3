import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  freePort,
  hasRedisServer,
  NEEDS_REDIS_SERVER,
  type RedisServer,
  startRedisServers,
} from '../test/redis-server.ts';

const run = promisify(execFile);

/** What one race in the example prints: the tokens of A and B, and the lines with these tokens called a and b. */
interface Race {
  readonly tokens: readonly number[];
  readonly lines: readonly string[];
}

/** Runs the example as a reader would, with the ports of the masters; rejects unless it ends well. */
async function runExample(ports: readonly number[]): Promise<{ readonly trusting: Race; readonly fenced: Race }> {
  const { stdout, stderr } = await run(process.execPath, ['--import', 'tsx', 'docs/fencing-sql.ts'], {
    cwd: new URL('..', import.meta.url).pathname,
    env: { ...process.env, PORTS: ports.join(',') },
  });
  expect(stderr).toBe('');
  const [, trusting, fenced] = stdout.split(/^The database .*:\n/m);
  return { trusting: raceIn(trusting ?? ''), fenced: raceIn(fenced ?? '') };
}

function raceIn(text: string): Race {
  const tokens = [...text.matchAll(/has token (\d+)/g)].map((match) => match[1] ?? '');
  const [a = 'none', b = 'none'] = tokens;
  return { tokens: tokens.map(Number), lines: text.trim().replaceAll(a, 'a').replaceAll(b, 'b').split('\n') };
}

describe.skipIf(!hasRedisServer)(`the example of fencing (${NEEDS_REDIS_SERVER})`, () => {
  let servers: RedisServer[];
  beforeAll(async () => {
    servers = await startRedisServers(3);
  });
  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
  });

  it('loses a write where the lock alone protects the row, and refuses the stale writer where the row compares tokens', async () => {
    const startedUs = Date.now() * 1000;
    const { trusting, fenced } = await runExample(servers.map(({ port }) => port));
    for (const { tokens } of [trusting, fenced]) {
      expect(tokens).toHaveLength(2);
      expect(tokens[0]).toBeGreaterThanOrEqual(startedUs);
      expect(tokens[1]).toBeGreaterThan(tokens[0] ?? Number.NaN);
    }
    expect(trusting.lines).toEqual([
      'A has token a, and reads that there are 10 chairs.',
      'A pauses.',
      'B has token b, and reads that there are 10 chairs.',
      'B sells 5, and writes that 5 are left.',
      'A goes on, and knows nothing of that.',
      'A sells 1, and writes that 9 are left.',
      'In the database: {"item":"chairs","quantity":9,"token":0}',
    ]);
    expect(fenced.lines).toEqual([
      'A has token a, and reads that there are 10 lamps.',
      'A pauses.',
      'B has token b, and reads that there are 10 lamps.',
      'B sells 5, and writes that 5 are left.',
      'A goes on, and knows nothing of that.',
      'A is refused: the row has seen a larger token than a.',
      'In the database: {"item":"lamps","quantity":5,"token":b}',
    ]);
  });

  it('says what is wrong when no server can be reached', async () => {
    const ports = await Promise.all([freePort(), freePort(), freePort()]);
    const error: unknown = await runExample(ports).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^Too few nodes answered to lock "stock\/chairs"/) as string,
    });
  });
});
