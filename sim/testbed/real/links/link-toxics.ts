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
}

/** Toxiproxy counts a bandwidth in these a second; no scenario asks for a fraction. */
export const BYTES_OF_A_KILOBYTE = 1000;

/** Drops everything; Toxiproxy closes the connections when it is taken away. */
export const CUT: ToxicSettings = { type: 'timeout', attributes: { timeout: 0 } };

export function linkEffect(fault: Extract<Fault, { fault: LinkFaultKind }>): LinkEffect {
  switch (fault.fault) {
    case 'partition':
    case 'loss':
      return { toxic: CUT, directions: directionsOf(fault.direction), effect: 'cut' };
    case 'partition-shape':
      return { toxic: CUT, directions: directionsOf('both'), effect: 'cut' };
    case 'latency':
      return { toxic: latency(fault.delay), directions: directionsOf(fault.direction), effect: 'slow' };
    case 'bandwidth':
      return {
        toxic: { type: 'bandwidth', attributes: { rate: fault.bytesPerSecond / BYTES_OF_A_KILOBYTE } },
        directions: directionsOf(fault.direction),
        effect: 'slow',
      };
    case 'limit-data':
      return {
        toxic: { type: 'limit_data', attributes: { bytes: fault.bytes } },
        directions: directionsOf(fault.direction),
        effect: 'cut',
      };
    case 'slicer':
      return {
        toxic: {
          type: 'slicer',
          attributes: { average_size: fault.bytes, size_variation: 0, delay: Math.round(fault.delay * 1000) },
        },
        directions: directionsOf(fault.direction),
        effect: 'slow',
      };
  }
}

function latency({ minMs, maxMs }: DurationRange): ToxicSettings {
  const jitter = Math.round((maxMs - minMs) / 2);
  return { type: 'latency', attributes: { latency: Math.round(minMs + (maxMs - minMs) / 2), jitter } };
}

function directionsOf(direction: 'both' | 'request' | 'reply'): ('request' | 'reply')[] {
  return direction === 'both' ? ['request', 'reply'] : [direction];
}
