import fc from 'fast-check';
import { quorumOf } from '../../../src/quorum.ts';
import { driftAllowanceMs } from '../../../src/validity.ts';
import type { Scenario } from '../../scenario/schema.ts';
import { clockDriftFactorOf } from '../../scenario/clock-drift.ts';
import { nodeNames } from '../../scenario/server-names.ts';
import type { Envelope } from '../envelope/envelope.ts';

/** Parts of every scenario that are given, and not drawn. */
export interface GivenParts {
  readonly settings?: Scenario['settings'];
  readonly clients?: Scenario['clients'];
  readonly network?: Scenario['network'];
  /** What they keep, and what they drop; whether they have replicas follows from the faults that are drawn. */
  readonly nodes?: Scenario['nodes'];
  /** Of the clients that are given. */
  readonly workload?: Scenario['workload'];
  readonly limit?: Scenario['limit'];
}

/** What recipes of moments, scripts and faults must know of the scenario that they are for. */
export interface DrawnWorld {
  readonly settings: Scenario['settings'];
  readonly clients: readonly string[];
  readonly nodes: readonly string[];
  readonly quorum: number;
  readonly ttlMs: number;
  /** The longest that a lock can be valid: the time to live less the drift allowance. */
  readonly validityMs: number;
  readonly driftFactor: number;
  readonly persistence: Scenario['nodes']['persistence'];
  readonly evicts: boolean;
  readonly envelope: Envelope;
}

/**
 * What is drawn in place of a part of a scenario, so that each part is drawn, and shrinks, by itself: told the world, it gives the part, or null
 * where it makes no sense there.
 */
export type Recipe<Part> = (world: DrawnWorld) => Part | null;

export function worldOf(
  settings: Scenario['settings'],
  clients: readonly string[],
  { persistence, maxmemoryPolicy }: Pick<Scenario['nodes'], 'persistence' | 'maxmemoryPolicy'>,
  envelope: Envelope,
): DrawnWorld {
  const driftFactor = clockDriftFactorOf({ settings });
  return {
    settings,
    clients,
    nodes: nodeNames(settings.nodes),
    quorum: quorumOf(settings.nodes),
    ttlMs: settings.ttl,
    validityMs: settings.ttl - driftAllowanceMs(settings.ttl, driftFactor),
    driftFactor,
    persistence,
    evicts: maxmemoryPolicy !== 'noeviction',
    envelope,
  };
}

const WHOLE = 100;

/** A stretch of time as a share of the time to live, in percent, so that it fits any. */
export function shareOfTtl(percent: number, { ttlMs }: DrawnWorld): number {
  return Math.max(1, Math.round((ttlMs * percent) / 100));
}

/**
 * A time to live as a share of the usual one, in percent, and no longer than the restart guard lets anybody have. One that `exceeds` is just too
 * long for the guard where it is longer than usual.
 */
export function ttlShare(percent: number, world: DrawnWorld, exceeds = false): number {
  const longestMs = world.settings.restartGuard ?? Number.POSITIVE_INFINITY;
  if (exceeds && percent > WHOLE && Number.isFinite(longestMs)) return longestMs + 1;
  return Math.min(shareOfTtl(percent, world), longestMs);
}

/** Whether nodes may forget what they hold: where that bound is open, or a restart guard keeps those that did from voting. */
export function mayForget(bound: 'restart' | 'promotion', { settings, envelope }: DrawnWorld): boolean {
  return envelope.open.includes(bound) || settings.restartGuard !== undefined;
}

/** One of the values, the first of them being the simplest, each as often as it is listed. */
export function anyOf<Value>(...values: readonly Value[]): fc.Arbitrary<Value> {
  return fc.constantFrom(...values);
}

/** A client of the world, by a number. */
export function clientAt(index: number, { clients }: DrawnWorld): string {
  return clients[index % clients.length] as string;
}
