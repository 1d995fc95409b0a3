import { CrossSlotError } from './errors.ts';
import type { LockNode } from './lock-node.ts';
import type { LockTarget } from './lock-target.ts';
import { quotedResources } from './resource-names.ts';

/** The slots that all keys of a Redis Cluster are divided among. */
const SLOT_COUNT = 16_384;
/** CRC-16/XMODEM: x¹⁶ + x¹² + x⁵ + 1, the highest bit first, from 0. */
const POLYNOMIAL = 0x1021;
const HIGHEST_BIT = 0x8000;
const SIXTEEN_BITS = 0xffff;

const encoder = new TextEncoder();

/**
 * The hash slot of a key, by the Redis Cluster specification (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/): the
 * CRC-16 of its hash tag, which is what stands between the first `{` and the first `}` after that, or of the whole key where there is no such
 * text, modulo 16384.
 */
export function hashSlotOf(key: string): number {
  let crc = 0;
  for (const byte of encoder.encode(hashedPart(key))) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) {
      const shifted = crc << 1;
      crc = ((crc & HIGHEST_BIT) === 0 ? shifted : shifted ^ POLYNOMIAL) & SIXTEEN_BITS;
    }
  }
  return crc % SLOT_COUNT;
}

function hashedPart(key: string): string {
  const open = key.indexOf('{');
  const close = open === -1 ? -1 : key.indexOf('}', open + 1);
  return close > open + 1 ? key.slice(open + 1, close) : key;
}

/**
 * Refuses a lock whose keys lie in several hash slots of one of the nodes. A cluster votes as one node: with its keys on several of its masters, it
 * could lose some of them and keep the others, and the commands for them would fail one by one.
 *
 * @throws CrossSlotError
 */
export function checkSlots(nodes: readonly LockNode[], { resources, keys }: LockTarget): void {
  if (keys.length === 1) return;
  for (const { id, cluster } of nodes) {
    if (cluster === undefined) continue;
    const slots = new Set(keys.map((key) => hashSlotOf(cluster.keyPrefix + key)));
    if (slots.size === 1) continue;
    throw new CrossSlotError(
      `The resources ${quotedResources(resources)} lie in ${slots.size} hash slots of the ${id}, and those of one lock must share one: ` +
        'give their names, or keyPrefix, a common hash tag, the same text in braces in each, as in {orders}:1 and {orders}:2',
      resources,
      [],
    );
  }
}
