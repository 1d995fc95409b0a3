import { Toxiproxy } from 'toxiproxy-node-client';
import { readServer, TlsOnlyError, wantsPassword } from '../real/servers/server-facts.ts';
import { TestbedUnavailableError } from '../testbed-error.ts';
import type { RedisContainer } from './redis-container.ts';
import type { ToxiproxyContainer } from './toxiproxy-container.ts';

/**
 * Asks all servers who they are, by the way that clients will take. Rejects with a TestbedUnavailableError if one wants a password or TLS, or
 * does not answer as Redis does.
 */
export async function askServers(toxiproxy: ToxiproxyContainer, servers: readonly RedisContainer[]): Promise<void> {
  const proxies = await new Toxiproxy(toxiproxy.url).populate(
    servers.map(({ name, upstream }, number) => ({
      name: `ask-${name}`,
      listen: toxiproxy.proxyListen(number),
      upstream,
      enabled: true,
    })),
  );
  await Promise.all(
    servers.map(async ({ name, image }, number) => {
      await readServer(toxiproxy.proxyAddress(number)).catch((error: unknown) => {
        throw refusal(name, image, error as Error);
      });
    }),
  );
  await Promise.all(Object.values(proxies).map((proxy) => proxy.remove()));
}

function refusal(name: string, image: string, error: Error): TestbedUnavailableError {
  if (wantsPassword(error)) {
    return new TestbedUnavailableError(
      `the server of ${name} (image ${image}) demands a password`,
      'use an image without requirepass and users: the servers of a run can be reached from this machine alone, and end with it',
      { cause: error },
    );
  }
  if (error instanceof TlsOnlyError) {
    return new TestbedUnavailableError(
      `the server of ${name} (image ${image}) speaks nothing but TLS`,
      'use an image without tls-port: the servers of a run can be reached from this machine alone, and end with it',
      { cause: error },
    );
  }
  return new TestbedUnavailableError(
    `the server of ${name} (image ${image}) does not answer as Redis without TLS does: ${error.message}`,
    'name an image of Redis or Valkey that listens without TLS on the port that it is given',
    { cause: error },
  );
}
