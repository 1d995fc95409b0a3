import type { DurationRange } from '../../../scenario/duration.ts';
import type { Fault } from '../../../scenario/fault-schema.ts';
import type { LinkDisturbance } from './link-disturbances.ts';
import type { ToxicSettings } from './proxies.ts';

/** Faults of connections, which Toxiproxy makes. */
export type LinkFaultKind =
  'partition' | 'partition-shape' | 'loss' | 'latency' | 'bandwidth' | 'limit-data' | 'slicer';

/** What Toxiproxy is told for a fault, and what becomes of messages. */
export interface LinkEffect {
  readonly toxic: ToxicSettings;
  readonly directions: readonly ('request' | 'reply')[];
  readonly effect: LinkDisturbance['effect'];
  /** By how much a message of the direction is slower at the least. */
  leastDelayUs(direction: LinkDisturbance['direction']): number;
}

/**
 * Nobody knows the size of a message that went by. No request is smaller: each names a script by its 40 digits, or a key and a random value.
 * The shortest reply is a number of one digit.
 */
const LEAST_BYTES: Readonly<Record<LinkDisturbance['direction'], number>> = { request: 60, reply: 4 };

/** Toxiproxy counts a bandwidth in these a second; no scenario asks for a fraction. */
export const BYTES_OF_A_KILOBYTE = 1000;

/** Drops everything; Toxiproxy closes the connections when it is taken away. */
export const CUT: ToxicSettings = { type: 'timeout', attributes: { timeout: 0 } };

export function linkEffect(fault: Extract<Fault, { fault: LinkFaultKind }>): LinkEffect {
  switch (fault.fault) {
    case 'partition':
    case 'loss':
      return { toxic: CUT, directions: directionsOf(fault.direction), effect: 'cut', leastDelayUs: noDelay };
    case 'partition-shape':
      return { toxic: CUT, directions: directionsOf('both'), effect: 'cut', leastDelayUs: noDelay };
    case 'latency':
      return latency(fault.delay, directionsOf(fault.direction));
    case 'bandwidth':
      return {
        toxic: { type: 'bandwidth', attributes: { rate: fault.bytesPerSecond / BYTES_OF_A_KILOBYTE } },
        directions: directionsOf(fault.direction),
        effect: 'slow',
        leastDelayUs: (direction) => Math.floor((LEAST_BYTES[direction] * 1e6) / fault.bytesPerSecond),
      };
    case 'limit-data':
      return {
        toxic: { type: 'limit_data', attributes: { bytes: fault.bytes } },
        directions: directionsOf(fault.direction),
        effect: 'cut',
        leastDelayUs: noDelay,
      };
    case 'slicer':
      return {
        toxic: {
          type: 'slicer',
          attributes: { average_size: fault.bytes, size_variation: 0, delay: Math.round(fault.delay * 1000) },
        },
        directions: directionsOf(fault.direction),
        effect: 'slow',
        leastDelayUs: (direction) =>
          (Math.ceil(LEAST_BYTES[direction] / fault.bytes) - 1) * Math.round(fault.delay * 1000),
      };
  }
}

function latency({ minMs, maxMs }: DurationRange, directions: LinkEffect['directions']): LinkEffect {
  const jitter = Math.round((maxMs - minMs) / 2);
  const mean = Math.round(minMs + (maxMs - minMs) / 2);
  return {
    toxic: { type: 'latency', attributes: { latency: mean, jitter } },
    directions,
    effect: 'slow',
    leastDelayUs: () => Math.max(0, mean - jitter) * 1000,
  };
}

function noDelay(): number {
  return 0;
}

function directionsOf(direction: 'both' | 'request' | 'reply'): ('request' | 'reply')[] {
  return direction === 'both' ? ['request', 'reply'] : [direction];
}
