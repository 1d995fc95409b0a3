import type { Redis } from 'ioredis';
import { OBSERVER, type Proxies } from '../links/proxies.ts';
import { connectOnce } from '../observers/server-connection.ts';
import { replicaOf } from './server-requests.ts';

/** How often to look whether a replica has caught up, and how long to wait in between. */
const LOOKS = 500;
const LOOK_EVERY_MS = 20;

/**
 * Makes the replica of a node follow it through a route of its own and, when it has caught up once, holds back what comes after by `lagMs`;
 * infinity holds back everything. What the primary answered by then and the replica lacks is lost by a promotion.
 */
export async function followWithLag(node: string, lagMs: number, proxies: Proxies): Promise<void> {
  const replica = await connectOnce(proxies.address(OBSERVER, replicaOf(node)));
  try {
    const { host, port } = proxies.addressForServers(replicaOf(node), node);
    await replica.call('REPLICAOF', host, String(port));
    await untilCaughtUp(node, replica);
  } finally {
    replica.disconnect();
  }
  const toxic = Number.isFinite(lagMs)
    ? ({ type: 'latency', attributes: { latency: Math.round(lagMs), jitter: 0 } } as const)
    : ({ type: 'timeout', attributes: { timeout: 0 } } as const);
  await proxies.addToxic(replicaOf(node), node, 'downstream', toxic);
}

/** Redis tells of the state of a replication only when it is asked. */
async function untilCaughtUp(node: string, replica: Redis): Promise<void> {
  for (let looks = 0; !(await replica.info('replication')).includes('master_link_status:up'); looks += 1) {
    if (looks === LOOKS) throw new Error(`the replica of ${node} does not catch up with its primary`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
