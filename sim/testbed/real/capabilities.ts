import { existsSync } from 'node:fs';
import type { Fault } from '../../scenario/fault-schema.ts';
import type { Moment } from '../../faults/moments.ts';
import { BYTES_OF_A_KILOBYTE } from './links/link-toxics.ts';
import { resolveClients, resolveNodes, type TargetWorld } from '../../faults/targets.ts';
import { type Scenario, scenarioSchema } from '../../scenario/schema.ts';
import { visibleAfterMs, visibleMoveMs } from './node-clock.ts';

/** Events that the merged history has, but that nobody sees while a real run goes on: that a message is lost follows from the rest. */
const SEEN_AFTERWARDS: readonly string[] = ['message-lost', 'message-delayed'];
const { latency: USUAL_LATENCY } = scenarioSchema.shape.network.parse(undefined);

/** Whether faults move the wall clocks of nodes. */
export function movesNodeClocks({ faults }: Scenario): boolean {
  return faults.some(({ fault }) => fault.startsWith('clock-'));
}

/** Whether a partition lets nothing at all pass between the nodes that it is aimed at and any client. */
export function isSilent(
  fault: Extract<Fault, { fault: 'partition' }>,
  clients: readonly string[],
  all: readonly string[],
): boolean {
  return fault.direction === 'both' && all.every((client) => clients.includes(client));
}

/** The nodes that a partition may cut off from all clients, as far as that can be told before a run. */
export function silentNodes({ clients, faults }: Scenario, nodeNames: readonly string[]): readonly string[] {
  const clientNames = Object.keys(clients);
  // Who has a lease is only known later: any client, and any node, may then be meant.
  const world: TargetWorld = {
    clients: clientNames,
    nodes: nodeNames,
    newestLease: (client = clientNames[0] ?? '') => ({ client, key: '', value: '' }),
    holds: () => true,
  };
  const aimedAt = faults.flatMap((fault) =>
    fault.fault === 'partition' && isSilent(fault, resolveClients(fault.clients, world), clientNames)
      ? resolveNodes(fault.nodes, world)
      : [],
  );
  return nodeNames.filter((name) => aimedAt.includes(name));
}

/**
 * What a scenario asks for and no backend of real servers behind Toxiproxy can do, in a sentence; null if nothing. A scenario that is
 * refused could only run as another one than it says.
 */
export function realLack(scenario: Scenario): string | null {
  const { network, workload, faults } = scenario;
  const { minMs, maxMs } = network.latency;
  if (minMs !== USUAL_LATENCY.minMs || maxMs !== USUAL_LATENCY.maxMs) {
    return 'the latency of a real network cannot be set (network.latency): add a latency fault instead';
  }
  for (const moment of [...workload, ...faults]) {
    const lack = momentLack(moment);
    if (lack !== null) return lack;
  }
  for (const fault of faults) {
    const lack = faultLack(fault, scenario);
    if (lack !== null) return lack;
  }
  return null;
}

function momentLack({ after }: Moment): string | null {
  if (after === undefined || !SEEN_AFTERWARDS.includes(after.event)) return null;
  return `that a message is lost or late is only found out after the run, so nothing can begin after ${after.event}`;
}

function faultLack(fault: Fault, { faults, limit }: Scenario): string | null {
  switch (fault.fault) {
    case 'loss':
      if (fault.count === undefined && fault.command === undefined && fault.probability === 1) return null;
      return 'Toxiproxy sees bytes, not messages: a loss takes all or nothing of a direction, never by count, command or probability';
    case 'latency':
      if (fault.delay.maxMs === 0 || fault.delay.maxMs >= 1) return null;
      return 'Toxiproxy delays by whole milliseconds: a latency below 1 ms cannot be made';
    case 'bandwidth':
      if (fault.bytesPerSecond % BYTES_OF_A_KILOBYTE === 0) return null;
      return `Toxiproxy counts in kilobytes a second: ${fault.bytesPerSecond} bytes a second is not a multiple of ${BYTES_OF_A_KILOBYTE}`;
    case 'slow-close':
      if (Number.isInteger(fault.delay)) return null;
      return 'Toxiproxy delays by whole milliseconds: a slow-close with a fraction of one cannot be made';
    case 'eviction':
      if (fault.keys === undefined) return null;
      return 'a real server under memory pressure chooses for itself: the number of keys that are evicted cannot be set';
    case 'clock-jump':
    case 'clock-strobe':
      return jumpLack(fault.by, faults);
    case 'clock-drift':
      return driftLack(fault.rate, fault.for ?? limit);
    case 'promotion':
      if (faults.some((other) => other.fault === 'promotion' && other.lag !== fault.lag)) {
        return 'all replicas of a run are equally far behind: promotions with different lags do not go together';
      }
      if (faults.some((other) => other.fault.startsWith('clock-'))) {
        return 'the clock of a replica cannot be moved: promotions do not go together with faults of clocks of nodes';
      }
      return null;
    case 'client-pause':
      return stopLack('a client');
    default:
      return null;
  }
}

/** What moves the clock less than can be read back would count as begun without anybody having seen it. */
function jumpLack(byMs: number, faults: readonly Fault[]): string | null {
  const rates = faults.map((fault) => (fault.fault === 'clock-drift' ? fault.rate : 1));
  const leastMs = Math.ceil(Math.max(...rates.map(visibleMoveMs)));
  if (Math.abs(byMs) >= leastMs) return null;
  return `the clock of a real server cannot be read exactly enough to see a jump of less than ${leastMs} ms`;
}

function driftLack(rate: number, forMs: number): string | null {
  const leastMs = visibleAfterMs(rate);
  if (forMs >= leastMs) return null;
  const long = Number.isFinite(leastMs) ? ` for less than ${Math.ceil(leastMs)} ms` : '';
  return `the clock of a real server cannot be read exactly enough to see that it runs at ${rate} times the true rate${long}`;
}

/** Why a process of this machine cannot be paused so that it is seen to be; `who` is what it is to people. */
export function stopLack(who: string): string | null {
  return existsSync('/proc/self/stat') ? null : `that ${who} is stopped can only be seen in /proc, which Linux has`;
}
