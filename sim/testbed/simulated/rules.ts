import type { DurationRange } from '../../scenario/duration.ts';
import type { RandomStream } from '../random-streams.ts';
import type { Simulation } from './simulation.ts';

/** What a rule answers when the message is dropped. */
export const LOST = -1;
/** What a rule answers when the message is dropped and the connection closes with it. */
export const CLOSED = -2;

/** What a fault does to the messages of one direction of one link. */
export interface Rule {
  /** The number of the fault that made it. */
  readonly fault: number;
  /**
   * By how many microseconds the message is slower, 0 for not at all, or LOST, or CLOSED. `kind` is that of the command, or `write`; null, with 0 bytes,
   * for the news that a connection broke or was refused, which is never CLOSED.
   */
  delayUs(kind: string | null, bytes: number): number;
  /** Tells that the next message travels on a new connection. */
  reconnect?(): void;
}

export function drop(fault: number): Rule {
  return { fault, delayUs: () => LOST };
}

/** Drops messages about commands of one kind (or any), at most `count` of them, each with a probability. News of a connection passes. */
export function dropSome(
  fault: number,
  kind: string | undefined,
  count: number | undefined,
  probability: number,
  random: RandomStream,
): Rule {
  let left = count ?? Number.POSITIVE_INFINITY;
  return {
    fault,
    delayUs: (messageKind) => {
      if (left <= 0 || messageKind === null || (kind !== undefined && kind !== messageKind)) return 0;
      if (probability < 1 && random.fraction() >= probability) return 0;
      left -= 1;
      return LOST;
    },
  };
}

export function slowDown(fault: number, delay: DurationRange, random: RandomStream): Rule {
  const leastUs = Math.round(delay.minMs * 1000);
  const spanUs = Math.round((delay.maxMs - delay.minMs) * 1000);
  return { fault, delayUs: () => leastUs + Math.floor(random.fraction() * (spanUs + 1)) };
}

/** Messages queue for a line that passes so many bytes a second. */
export function limitBandwidth(fault: number, bytesPerSecond: number, simulation: Simulation): Rule {
  let freeAtUs = 0;
  return {
    fault,
    delayUs: (_kind, bytes) => {
      const startUs = Math.max(freeAtUs, simulation.nowUs);
      freeAtUs = startUs + Math.ceil((bytes * 1_000_000) / bytesPerSecond);
      return freeAtUs - simulation.nowUs;
    },
  };
}

/** A message longer than a slice pays the delay between any two of its slices. */
export function slice(fault: number, sliceBytes: number, delayMs: number): Rule {
  return {
    fault,
    delayUs: (_kind, bytes) => Math.max(0, Math.ceil(bytes / sliceBytes) - 1) * Math.round(delayMs * 1000),
  };
}

/** The connection closes with the message that would pass the limit; each new connection has the limit again. */
export function closeAfter(fault: number, limitBytes: number): Rule {
  let passed = 0;
  return {
    fault,
    delayUs: (_kind, bytes) => {
      passed += bytes;
      return passed <= limitBytes ? 0 : CLOSED;
    },
    reconnect: () => {
      passed = 0;
    },
  };
}
