import type { WorldSettings } from './settings.ts';

/** A state of the small world: a row of numbers below 65,536. */
export type Row = Uint16Array;

/** Places of what there is once. */
export const NOW = 0;
export const CRASHES_LEFT = 1;
export const PAUSES_LEFT = 2;
export const JUMPS_LEFT = 3;
export const EVICTIONS_LEFT = 4;
/** Which locks were granted so far. */
export const TRACE = 5;
const HEADER_LENGTH = 6;

/** Places of what there is for each client, from its own on. */
export const GLOBAL = 0;
export const START = 1;
/** Whether it is paused, and what its wall clock shows. */
export const FLAGS = 2;
/** The largest token granted before its current attempt began. */
export const FLOOR = 3;
export const CLIENT_LENGTH = 4;

/** Places of what there is for each node, from its own on; its links follow, one for each client. */
export const OWNER = 0;
export const EXPIRES = 1;
export const COUNTER = 2;
/** 0 while it serves; 1 more than the tick of its crash while it is down. */
export const STATUS = 3;
export const LINKS = 4;

export const IS_PAUSED = 1;
/** What the wall clock of a client shows: the time; a time long ago; a time far ahead. Above the bit of IS_PAUSED. */
export const WALL_SHIFT = 1;
export const WALL_BACK = 1;
export const WALL_AHEAD = 2;

export const NOBODY = 0;
/** Whoever stored the key, nobody will compare it with a value any more. */
export const ANYBODY = 1;
const FIRST_OWNER = 2;

/** Where a state keeps what, in a world of this size. */
export class Layout {
  readonly clients: number;
  readonly nodes: number;
  readonly nodeLength: number;
  readonly length: number;
  /** Where the nodes begin. */
  readonly nodesAt: number;
  private readonly attempts: number;

  constructor({ clients, nodes, cycles, retries }: WorldSettings) {
    this.clients = clients;
    this.nodes = nodes;
    this.attempts = cycles * (retries + 1);
    this.nodeLength = LINKS + clients;
    this.nodesAt = HEADER_LENGTH + clients * CLIENT_LENGTH;
    this.length = this.nodesAt + nodes * this.nodeLength;
  }

  client(client: number): number {
    return HEADER_LENGTH + client * CLIENT_LENGTH;
  }

  node(node: number): number {
    return this.nodesAt + node * this.nodeLength;
  }

  link(client: number, node: number): number {
    return this.nodesAt + node * this.nodeLength + LINKS + client;
  }

  /** What stands for the value of this attempt, from 1, of this client. */
  owner(client: number, attempt: number): number {
    return FIRST_OWNER + client * this.attempts + attempt - 1;
  }

  /** The client whose value it is; -1 for nobody's or anybody's. */
  clientOf(owner: number): number {
    return owner < FIRST_OWNER ? -1 : Math.floor((owner - FIRST_OWNER) / this.attempts);
  }

  attemptOf(owner: number): number {
    return ((owner - FIRST_OWNER) % this.attempts) + 1;
  }
}
