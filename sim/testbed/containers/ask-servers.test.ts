import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Address } from '../real/address.ts';
import { serverThat, serverWith } from '../real/servers/server-testing.ts';
import { askServers } from './ask-servers.ts';

/** A Toxiproxy that makes a proxy for one server, which is at the address, and takes it away again. */
async function toxiproxyBefore(server: Address): Promise<Parameters<typeof askServers>[0]> {
  const proxy = { name: 'ask-n1', listen: '0.0.0.0:20000', upstream: 'n1:6379', enabled: true, toxics: [] };
  const api = createServer(({ method }, response) => {
    response.writeHead(method === 'DELETE' ? 204 : 201, { 'content-type': 'application/json' });
    response.end(method === 'DELETE' ? undefined : JSON.stringify({ proxies: [proxy] }));
  }).listen(0, '127.0.0.1');
  await once(api, 'listening');
  onTestFinished(() => {
    api.closeAllConnections();
    api.close();
  });
  const { port } = api.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, proxyListen: () => proxy.listen, proxyAddress: () => server };
}

const SERVERS = [{ name: 'n1', upstream: 'n1:6379', image: 'redis:old' }];

describe('askServers', () => {
  it('takes servers that can be watched', async () => {
    const toxiproxy = await toxiproxyBefore(await serverWith('redis_version:6.2.14', 'process_id:1'));
    await expect(askServers(toxiproxy, SERVERS)).resolves.toBeUndefined();
  });

  it.each([
    {
      of: 'a server too old to be watched',
      server: () => serverWith('redis_version:6.0.16', 'process_id:1'),
      message:
        'the server of n1 (image redis:old) cannot be watched, which needs Redis 6.2 or later: it is Redis 6.0.16',
      remedy: 'name an image of Redis 6.2 or later, or of Valkey',
    },
    {
      of: 'one that is no Redis',
      server: () => serverThat(() => 'HTTP/1.1 400\r\n\r\n'),
      message: 'the server of n1 (image redis:old) does not answer as Redis without TLS does: ',
      remedy: 'name an image of Redis or Valkey that listens without TLS',
    },
  ])('refuses $of, with the remedy', async ({ server, message, remedy }) => {
    await expect(askServers(await toxiproxyBefore(await server()), SERVERS)).rejects.toMatchObject({
      name: 'TestbedUnavailableError',
      message: expect.stringContaining(message) as string,
      remedy: expect.stringContaining(remedy) as string,
    });
  });
});
