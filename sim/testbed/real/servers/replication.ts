import type { Redis } from 'ioredis';
import { OBSERVER, type Proxies } from '../links/proxies.ts';
import { connectOnce } from '../observers/server-connection.ts';
import { replicaOf } from './server-requests.ts';

/** How often to look whether a replica has caught up, and how long to wait in between. */
const LOOKS = 500;
const LOOK_EVERY_MS = 20;

/** How long a primary may keep from its replica what it writes. Redis looks at this once a second. */
const STREAM_LIMIT_MS = 10_000;

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
  await untilStreaming(node, proxies);
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

/**
 * A primary holds back what it writes until a replica has acknowledged its copy, which it may do too early to be heard, and then a second later: only
 * a write that was acknowledged shows that writes arrive. Subscribers to nothing are told, so that no key is touched.
 */
async function untilStreaming(node: string, proxies: Proxies): Promise<void> {
  const primary = await connectOnce(proxies.address(OBSERVER, node));
  try {
    await primary.publish('replication', 'begins');
    if ((await primary.wait(1, STREAM_LIMIT_MS)) < 1) {
      throw new Error(`the replica of ${node} does not get what its primary writes`);
    }
  } finally {
    primary.disconnect();
  }
}
