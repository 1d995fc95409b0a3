import fc from 'fast-check';
import { LARGEST_STEP_MS } from '../envelope/envelope.ts';
import type { BodyArbitrary } from './faults.ts';
import { clientTargets, nodeTargets } from './targets.ts';
import { anyOf, type DrawnWorld, shareOfTtl } from './world.ts';

const lengths = anyOf(300, 100, 50, 20);
const steps = anyOf(100, 20, -20, 50, -50, -100, 200, 1000);
const wallSteps = anyOf(50, -50, 100, -100, 1000, -1000);
const WHOLE_TTL = 100;

/** Which of the rates: the first is the most that the envelope allows. */
const rateNumbers = fc.nat(2);

/** Rates are rounded towards 1, so that they are short to read and still inside. */
const RATE_DIGITS = 10_000;

/** Rates of nodes' clocks: as fast as f allows where clients' are right, a little fast, and as slow; or far out. */
function nodeRates({ driftFactor, envelope }: DrawnWorld): readonly number[] {
  if (envelope.open.includes('clock-rate')) return [2, 1.1, 0.5];
  const fastest = Math.floor(RATE_DIGITS / (1 - driftFactor)) / RATE_DIGITS;
  return [fastest, 1 - driftFactor, 1 + driftFactor / 2];
}

/** Rates of clients' clocks: as slow as f allows where nodes' are right, a little slow, and as fast; or far out. */
export function clientRates({ driftFactor, envelope }: DrawnWorld): readonly number[] {
  if (envelope.open.includes('clock-rate')) return [0.5, 0.9, 2];
  return [1 - driftFactor, 1 + driftFactor, 1 - driftFactor / 2];
}

/** Forward as far as the drift allowance covers, or back as far as keys may outlive their time; with the bound open, any way. */
function stepMs(percent: number, world: DrawnWorld): number {
  if (world.envelope.open.includes('clock-jump')) return Math.sign(percent) * shareOfTtl(Math.abs(percent), world);
  return percent > 0 ? LARGEST_STEP_MS : -Math.floor(world.ttlMs * world.driftFactor * 0.5);
}

/** Faults of clocks. Wall clocks of clients only give hints for fencing tokens, and may do what they like. */
export const clockFaults = {
  'clock-jump': fc.record({ nodes: nodeTargets, percent: steps }).map(({ nodes, percent }) => (world: DrawnWorld) => {
    const where = nodes(world);
    return where === null ? null : { fault: 'clock-jump' as const, nodes: where, by: stepMs(percent, world) };
  }),

  'clock-drift': fc
    .record({ nodes: nodeTargets, rate: rateNumbers, percent: lengths })
    .map(({ nodes, rate, percent }) => (world: DrawnWorld) => {
      const where = nodes(world);
      if (where === null) return null;
      const rates = nodeRates(world);
      return {
        fault: 'clock-drift' as const,
        nodes: where,
        rate: rates[rate] as number,
        for: shareOfTtl(percent, world),
      };
    }),

  'clock-strobe': fc
    .record({ nodes: nodeTargets, percent: steps, every: anyOf(10, 1, 50), lasts: lengths })
    .map(({ nodes, percent, every, lasts }) => (world: DrawnWorld) => {
      const where = nodes(world);
      if (where === null) return null;
      return {
        fault: 'clock-strobe' as const,
        nodes: where,
        by: stepMs(percent, world),
        every: shareOfTtl(every, world),
        for: shareOfTtl(lasts, world),
      };
    }),

  'client-clock-jump': fc
    .record({ clients: clientTargets, percent: wallSteps })
    .map(({ clients, percent }) => (world: DrawnWorld) => {
      const whom = clients(world);
      if (whom === null) return null;
      return { fault: 'client-clock-jump' as const, clients: whom, by: (world.ttlMs * percent) / WHOLE_TTL };
    }),

  'client-clock-drift': fc
    .record({ clients: clientTargets, rate: rateNumbers, percent: lengths })
    .map(({ clients, rate, percent }) => (world: DrawnWorld) => {
      const whom = clients(world);
      if (whom === null) return null;
      return {
        fault: 'client-clock-drift' as const,
        clients: whom,
        rate: clientRates(world)[rate] as number,
        for: shareOfTtl(percent, world),
      };
    }),
} satisfies Record<string, BodyArbitrary>;
