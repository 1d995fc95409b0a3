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

/** Runs the example as a reader would, with the ports of the masters; rejects unless it ends well. */
async function runExample(ports: readonly number[]): Promise<string[]> {
  const { stdout, stderr } = await run(process.execPath, ['--import', 'tsx', 'docs/example.ts'], {
    cwd: new URL('..', import.meta.url).pathname,
    env: { ...process.env, PORTS: ports.join(',') },
  });
  expect(stderr).toBe('');
  return stdout.trim().split('\n');
}

describe.skipIf(!hasRedisServer)(`the example (${NEEDS_REDIS_SERVER})`, () => {
  let servers: RedisServer[];
  beforeAll(async () => {
    servers = await startRedisServers(3);
  });
  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
  });

  it('acquires, works, extends and releases, and does so again', async () => {
    const ports = servers.map(({ port }) => port);
    for (let time = 1; time <= 2; time += 1) {
      expect(await runExample(ports)).toEqual([
        'Attempting to acquire lock for "my-critical-resource"...',
        expect.stringMatching(
          /^Lock acquired for "my-critical-resource"! Effective validity: 9\d\d\d(\.\d+)?ms\. Value: [0-9a-f]{40}$/,
        ),
        'Performing critical work...',
        'Critical work finished.',
        expect.stringMatching(/^Lock extended! New effective validity: 14[0-8]\d\d(\.\d+)?ms\.$/),
        'Releasing lock for "my-critical-resource"...',
        'Lock released.',
        'Redlock connections closed.',
      ]);
    }
  });

  it('says what is wrong when no server can be reached', async () => {
    const ports = await Promise.all([freePort(), freePort(), freePort()]);
    const error: unknown = await runExample(ports).catch((reason: unknown) => reason);
    // Two refusals decide, whichever of the three ports refuses last.
    expect(error).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^Failed to acquire lock .*4 attempts \(0 of 3 granted, (1 not awaited, )?2 failed/,
      ) as string,
    });
  });
});
