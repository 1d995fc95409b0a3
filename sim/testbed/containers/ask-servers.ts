import { Toxiproxy } from 'toxiproxy-node-client';
import { readServer } from '../real/servers/server-facts.ts';
import { serverRefusal } from '../real/servers/server-refusal.ts';
import type { RedisContainer } from './redis-container.ts';
import type { ToxiproxyContainer } from './toxiproxy-container.ts';

const TO_ITSELF = 'the servers of a run can be reached from this machine alone, and end with it';
const REMEDIES = {
  password: `use an image without requirepass and users: ${TO_ITSELF}`,
  tls: `use an image without tls-port: ${TO_ITSELF}`,
  tooOld: 'name an image of Redis 6.2 or later, or of Valkey',
  strange: 'name an image of Redis or Valkey that listens without TLS on the port that it is given',
};

/**
 * Asks all servers who they are, by the way that clients will take. Rejects with a TestbedUnavailableError if one cannot be watched, wants a password or
 * TLS, or does not answer as Redis does.
 */
export async function askServers(
  toxiproxy: Pick<ToxiproxyContainer, 'url' | 'proxyListen' | 'proxyAddress'>,
  servers: readonly Pick<RedisContainer, 'name' | 'upstream' | 'image'>[],
): Promise<void> {
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
        throw serverRefusal(`the server of ${name} (image ${image})`, error as Error, REMEDIES);
      });
    }),
  );
  await Promise.all(Object.values(proxies).map((proxy) => proxy.remove()));
}
