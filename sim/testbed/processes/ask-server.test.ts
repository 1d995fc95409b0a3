import { describe, expect, it } from 'vitest';
import { serverThat, serverWith } from '../real/servers/server-testing.ts';
import { askServer } from './ask-server.ts';

const PROGRAM = { path: '/opt/redis-server', remedy: 'take another' };
const PID = 42;

describe('askServer', () => {
  it('tells who the server is', async () => {
    const { port } = await serverWith('redis_version:6.2.14', `process_id:${PID}`);
    expect(await askServer(port, PID, PROGRAM)).toMatchObject({ version: '6.2.14', wallMs: 1500 });
  });

  it.each([
    {
      of: 'a server too old to be watched',
      server: () => serverWith('redis_version:6.0.16', `process_id:${PID}`),
      message:
        'the server that /opt/redis-server starts cannot be watched, which needs Redis 6.2 or later: it is Redis 6.0.16',
      remedy: 'take another; it must be Redis 6.2 or later, or Valkey',
    },
    {
      of: 'another process, however old it is',
      server: () => serverWith('redis_version:6.0.16', 'process_id:43'),
      message: '/opt/redis-server runs the server as another process (43) than the one that was started (42)',
      remedy: 'let it run in the foreground',
    },
    {
      of: 'a server that wants a password',
      server: () => serverThat(() => '-NOAUTH Authentication required.\r\n'),
      message: 'the server that /opt/redis-server starts demands a password',
      remedy: 'take requirepass and users out of its settings',
    },
    {
      of: 'one that tells no version',
      server: () => serverWith(`process_id:${PID}`),
      message:
        'the server that /opt/redis-server starts does not answer as Redis without TLS does: it tells no version',
      remedy: 'let it listen without TLS on the port that it is given, or take another',
    },
  ])('refuses $of, with the remedy', async ({ server, message, remedy }) => {
    const { port } = await server();
    await expect(askServer(port, PID, PROGRAM)).rejects.toMatchObject({
      name: 'TestbedUnavailableError',
      message: expect.stringContaining(message) as string,
      remedy: expect.stringContaining(remedy) as string,
    });
  });
});
