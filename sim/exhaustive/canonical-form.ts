import { CLIENT_LENGTH, type Layout, LINKS, OWNER, type Row } from './layout.ts';

/**
 * Brings states that differ by the names of nodes and clients only into one form: of all states that come of swapping names, the
 * least one, number by number. Nodes are alike to the library, and clients do the same work, so what can happen
 * from one of these states can happen, by other names, from each of them.
 */
export class CanonicalForm {
  private readonly layout: Layout;
  /** Every order of the clients: at each place, who comes there. */
  private readonly orders: readonly (readonly number[])[];
  private readonly source: Row;
  private readonly candidate: Row;
  private readonly best: Row;
  /** The nodes of the candidate before they are sorted. */
  private readonly unsorted: Row;
  private readonly sorted: number[];

  constructor(layout: Layout) {
    this.layout = layout;
    this.orders = permutations(Array.from({ length: layout.clients }, (_, client) => client));
    this.source = new Uint16Array(layout.length);
    this.candidate = new Uint16Array(layout.length);
    this.best = new Uint16Array(layout.length);
    this.unsorted = new Uint16Array(layout.nodes * layout.nodeLength);
    this.sorted = new Array<number>(layout.nodes).fill(0);
  }

  /** Brings `row` into its form. */
  normalize(row: Row): void {
    const { best, candidate, source } = this;
    source.set(row);
    let isFirst = true;
    for (const order of this.orders) {
      // Clients come before nodes in a row, so that the least row has them in ascending order.
      if (!this.isAscending(order)) continue;
      this.rearrange(order);
      if (!isFirst && compare(candidate, 0, best, 0, best.length) >= 0) continue;
      best.set(candidate);
      isFirst = false;
    }
    row.set(best);
  }

  private isAscending(order: readonly number[]): boolean {
    const { layout, source } = this;
    for (let place = 1; place < order.length; place += 1) {
      const before = layout.client(order[place - 1] as number);
      if (compare(source, before, source, layout.client(order[place] as number), CLIENT_LENGTH) > 0) return false;
    }
    return true;
  }

  /** Makes the candidate: the state with its clients in this order, and its nodes in the least order there is then. */
  private rearrange(order: readonly number[]): void {
    const { layout, source, candidate, unsorted, sorted } = this;
    const { nodes, nodeLength } = layout;
    candidate.set(source);
    for (let client = 0; client < order.length; client += 1) {
      copy(source, layout.client(order[client] as number), candidate, layout.client(client), CLIENT_LENGTH);
    }
    for (let node = 0; node < nodes; node += 1) {
      const from = layout.node(node);
      const to = node * nodeLength;
      copy(source, from, unsorted, to, LINKS);
      const owner = source[from + OWNER] as number;
      const client = layout.clientOf(owner);
      if (client !== -1) unsorted[to + OWNER] = layout.owner(order.indexOf(client), layout.attemptOf(owner));
      for (let place = 0; place < order.length; place += 1) {
        unsorted[to + LINKS + place] = source[from + LINKS + (order[place] as number)] as number;
      }
    }
    for (let node = 0; node < nodes; node += 1) {
      let place = node;
      for (; place > 0; place -= 1) {
        const before = sorted[place - 1] as number;
        if (compare(unsorted, before * nodeLength, unsorted, node * nodeLength, nodeLength) <= 0) break;
        sorted[place] = before;
      }
      sorted[place] = node;
    }
    for (let place = 0; place < nodes; place += 1) {
      copy(unsorted, (sorted[place] as number) * nodeLength, candidate, layout.node(place), nodeLength);
    }
  }
}

function compare(one: Row, oneAt: number, other: Row, otherAt: number, length: number): number {
  for (let offset = 0; offset < length; offset += 1) {
    const difference = (one[oneAt + offset] as number) - (other[otherAt + offset] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

function copy(from: Row, fromAt: number, to: Row, toAt: number, length: number): void {
  for (let offset = 0; offset < length; offset += 1) to[toAt + offset] = from[fromAt + offset] as number;
}

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((first) => permutations(items.filter((item) => item !== first)).map((rest) => [first, ...rest]));
}
