import { packRows } from './rows.ts';
import type { Key, Lease, Section, Story, Stretch } from './story.ts';
import { RESOURCE_LANE } from './story-reader.ts';

/** More lanes than these do not fit a screen. */
const MOST_CLIENT_LANES = 10;
const MOST_NODE_LANES = 9;
const MOST_ROWS = 3;

export const NOTE_PX = 14;
export const BAR_PX = 16;
export const KEY_PX = 12;
const SEND_LABEL_PX = 12;
const LANE_GAP_PX = 8;
const RESOURCE_LANE_PX = 42;
const RESOURCE_WIRE_PX = 28;
const NODE_WIRE_PX = 7;

interface Lane {
  readonly name: string;
  readonly kind: 'resource' | 'client' | 'node';
  readonly topPx: number;
  readonly heightPx: number;
  /** Where messages leave and arrive. */
  readonly wirePx: number;
}

/** Where everything stands from top to bottom: the resource, the clients, the nodes. */
export interface Lanes {
  readonly lanes: readonly Lane[];
  readonly bottomPx: number;
  readonly leftOut: { readonly clients: number; readonly nodes: number };
  /** Undefined if the lane is left out. A node may have the name of a client. */
  clientLane(name: string): Lane | undefined;
  nodeLane(name: string): Lane | undefined;
  resourceLane(): Lane | undefined;
  /** The tops of bars; undefined if their lane is left out. */
  leaseTopPx(lease: Lease): number | undefined;
  sectionTopPx(section: Section): number | undefined;
  keyTopPx(key: Key): number | undefined;
  /** Of 8 colours, that of the client. */
  colourOf(client: string): number;
}

const COLOURS = 8;

export interface LaneOptions {
  readonly story: Story;
  readonly topPx: number;
  /** Names that must not be left out if there are too many lanes. */
  readonly important: ReadonlySet<string>;
}

export function layLanes({ story, topPx, important }: LaneOptions): Lanes {
  const clients = chooseNames(story.clients, MOST_CLIENT_LANES, story.active, important);
  const nodes = chooseNames(story.nodes, MOST_NODE_LANES, story.active, important);
  const clientLanes = new Map<string, Lane>();
  const nodeLanes = new Map<string, Lane>();
  const tops = new Map<Stretch, number>();
  let nextTopPx = topPx;
  const lay = (name: string, kind: Lane['kind'], heightPx: number, wirePx: number): Lane => {
    const lane = { name, kind, topPx: nextTopPx, heightPx, wirePx: nextTopPx + wirePx };
    nextTopPx += heightPx + LANE_GAP_PX;
    return lane;
  };
  const packBars = (bars: readonly Stretch[], firstTopPx: number, rowPx: number): number => {
    const { rows, count } = packRows(
      bars.map(({ fromUs, untilUs }) => ({ from: fromUs, until: untilUs })),
      MOST_ROWS,
    );
    bars.forEach((bar, index) => tops.set(bar, firstTopPx + (rows[index] ?? 0) * rowPx));
    return Math.max(1, count) * rowPx;
  };

  const resource =
    story.writes.length > 0 ? lay(RESOURCE_LANE, 'resource', RESOURCE_LANE_PX, RESOURCE_WIRE_PX) : undefined;
  for (const name of clients) {
    const leaseTopPx = nextTopPx + NOTE_PX;
    const leasesPx = packBars(
      story.leases.filter((lease) => lease.client === name),
      leaseTopPx,
      BAR_PX,
    );
    const sectionsPx = packBars(
      story.sections.filter((section) => section.client === name),
      leaseTopPx + leasesPx,
      BAR_PX,
    );
    const heightPx = NOTE_PX + leasesPx + sectionsPx + SEND_LABEL_PX + 2;
    clientLanes.set(name, lay(name, 'client', heightPx, heightPx));
  }
  for (const name of nodes) {
    const keyTopPx = nextTopPx + NODE_WIRE_PX + 4;
    const keysPx = packBars(
      story.keys.filter((key) => key.node === name),
      keyTopPx,
      KEY_PX,
    );
    nodeLanes.set(name, lay(name, 'node', NODE_WIRE_PX + 4 + keysPx, NODE_WIRE_PX));
  }
  const lanes = [...(resource === undefined ? [] : [resource]), ...clientLanes.values(), ...nodeLanes.values()];
  return {
    lanes,
    bottomPx: nextTopPx,
    leftOut: { clients: story.clients.length - clients.length, nodes: story.nodes.length - nodes.length },
    clientLane: (name) => clientLanes.get(name),
    nodeLane: (name) => nodeLanes.get(name),
    resourceLane: () => resource,
    leaseTopPx: (lease) => tops.get(lease),
    sectionTopPx: (section) => tops.get(section),
    keyTopPx: (key) => tops.get(key),
    colourOf: (client) => Math.max(0, story.clients.indexOf(client)) % COLOURS,
  };
}

/** All names if there is room for them, else the important ones and then the active ones, in the order of the run. */
function chooseNames(
  names: readonly string[],
  most: number,
  active: ReadonlySet<string>,
  important: ReadonlySet<string>,
): readonly string[] {
  if (names.length <= most) return names;
  const rankOf = (name: string): number => (important.has(name) ? 0 : active.has(name) ? 1 : 2);
  const chosen = new Set([...names].sort((left, right) => rankOf(left) - rankOf(right)).slice(0, most));
  return names.filter((name) => chosen.has(name));
}
