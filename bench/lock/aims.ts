import { COLUMNS } from './columns.ts';
import { CONTENDERS } from './contenders.ts';
import { ratioOf, ratioText, shareOfHealthy, speedOf } from './figures.ts';
import type { LockResults } from './results.ts';
import { median } from './statistics.ts';

/** What distrilock is meant to reach. */
export interface Aim {
  readonly title: string;
  /** Null where the run did not measure it. */
  measure(results: LockResults): { readonly text: string; readonly reached: boolean } | null;
}

const PEERS = CONTENDERS.filter(({ kind }) => kind === 'peer').map(({ id }) => id);

function shareOfFloor(columnId: string, least: number): Aim {
  const title = COLUMNS.find(({ id }) => id === columnId)?.title ?? columnId;
  return {
    title: `${title}: at least ${least} of the raw commands`,
    measure(results) {
      const ratio = ratioOf(results, columnId, 'distrilock', 'floor');
      return ratio === null ? null : { text: ratio.median.toFixed(2), reached: ratio.median >= least };
    },
  };
}

const firstEverywhere: Aim = {
  title: 'faster than every other library in every column',
  measure(results) {
    const own = results.speed.flatMap(({ column }) => {
      const speed = speedOf(results, column.id, 'distrilock');
      const peers = PEERS.flatMap((id) => speedOf(results, column.id, id)?.median ?? []);
      return speed === null || peers.length === 0 ? [] : [{ column, lead: speed.median / Math.max(...peers) }];
    });
    const least = own.sort((one, other) => one.lead - other.lead)[0];
    if (least === undefined) return null;
    return {
      text: `${least.lead.toFixed(2)} times the next, at the least (${least.column.title})`,
      reached: least.lead > 1,
    };
  },
};

/**
 * A node that is slow or hung may not cost anything: the others are a quorum. It is held against healthy nodes in the same rounds. What the raw commands
 * lose stands beside it: the third answer of four comes later than the third of five, whatever a library does.
 */
function noSlower(condition: 'slow' | 'hung', concurrency: number): Aim {
  const troubled = COLUMNS.find((column) => column.condition === condition && column.concurrency === concurrency);
  return {
    title: `${troubled?.title ?? ''}: no slower than without (0.9 at least)`,
    measure(results) {
      const [share, ofFloor] = ['distrilock', 'floor'].map((id) =>
        shareOfHealthy(results, troubled?.id ?? '', id, 'cyclesPerSecond'),
      );
      if (!share) return null;
      const beside = ofFloor ? `; the raw commands ${ratioText(ofFloor)}` : '';
      return { text: ratioText(share) + beside, reached: share.median >= 0.9 };
    },
  };
}

const leastHeap: Aim = {
  title: 'less heap a cycle than every other library',
  measure({ cost }) {
    const heapOf = (id: string): number | null => {
      const found = cost.find(({ contender }) => contender === id);
      return found === undefined ? null : median(found.heapBytesPerCycle) / 1024;
    };
    const own = heapOf('distrilock');
    const peers = PEERS.flatMap((id) => heapOf(id) ?? []);
    if (own === null || peers.length === 0) return null;
    const least = Math.min(...peers);
    return { text: `${own.toFixed(1)} KiB, the next ${least.toFixed(1)} KiB`, reached: own < least };
  },
};

function roundTrips(id: string, title: string): Aim {
  return {
    title: `${title}: at most one call each way more than without`,
    measure({ cost }) {
      const [own, other] = ['distrilock', id].map(
        (wanted) => cost.find(({ contender }) => contender === wanted)?.callsPerCycleAndNode,
      );
      if (own === undefined || other === undefined) return null;
      return { text: `${(other - own).toFixed(2)} calls more a cycle and node`, reached: other - own <= 2 };
    },
  };
}

export const AIMS: readonly Aim[] = [
  firstEverywhere,
  ...[1, 3, 5].map((nodeCount) => shareOfFloor(`${nodeCount}-seq`, 0.97)),
  ...[50, 500].flatMap((concurrency) => [
    shareOfFloor(`1-${concurrency}`, 1.8),
    shareOfFloor(`3-${concurrency}`, 3),
    shareOfFloor(`5-${concurrency}`, 5),
  ]),
  ...[1, 50].flatMap((concurrency) => [noSlower('slow', concurrency), noSlower('hung', concurrency)]),
  leastHeap,
  roundTrips('fencing', 'fencing tokens'),
  roundTrips('guard', 'restart guard'),
  roundTrips('fencing-guard', 'both'),
];
