import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CanonicalForm } from './canonical-form.ts';
import { worldWith } from './exhaustive-testing.ts';
import { Layout, LINKS, OWNER, type Row } from './layout.ts';

const layout = new Layout(worldWith({ nodes: 3, clients: 3, retries: 1 }));
const form = new CanonicalForm(layout);

/** The state by other names: at each place of `clients` and `nodes`, who comes there. */
function renamed(row: Row, clients: readonly number[], nodes: readonly number[]): Row {
  const other = row.slice();
  clients.forEach((from, to) => {
    other.set(row.subarray(layout.client(from), layout.client(from + 1)), layout.client(to));
  });
  nodes.forEach((from, to) => {
    other.set(row.subarray(layout.node(from), layout.node(from + 1)), layout.node(to));
    const owner = row[layout.node(from) + OWNER] as number;
    const client = layout.clientOf(owner);
    if (client !== -1) other[layout.node(to) + OWNER] = layout.owner(clients.indexOf(client), layout.attemptOf(owner));
    clients.forEach((was, is) => {
      other[layout.node(to) + LINKS + is] = row[layout.node(from) + LINKS + was] as number;
    });
  });
  return other;
}

function formOf(row: Row): number[] {
  const copy = row.slice();
  form.normalize(copy);
  return [...copy];
}

// Few different numbers, so that clients and nodes are often alike in part.
const states = fc
  .array(fc.nat(2), { minLength: layout.length, maxLength: layout.length })
  .chain((numbers) => fc.array(fc.nat(7), { minLength: 3, maxLength: 3 }).map((owners) => ({ numbers, owners })))
  .map(({ numbers, owners }) => {
    const row = Uint16Array.from(numbers);
    owners.forEach((owner, node) => (row[layout.node(node) + OWNER] = owner));
    return row;
  });
const orders = fc.shuffledSubarray([0, 1, 2], { minLength: 3 });

it('is the same by whatever names, and one of them', () => {
  fc.assert(
    fc.property(states, orders, orders, (row, clients, nodes) => {
      expect(formOf(renamed(row, clients, nodes))).toEqual(formOf(row));
      expect(formOf(Uint16Array.from(formOf(row)))).toEqual(formOf(row));
    }),
    { numRuns: 2000 },
  );
});

it('differs where more than names does', () => {
  fc.assert(
    fc.property(states, orders, orders, fc.nat(layout.length - 1), (row, clients, nodes, place) => {
      const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, number) => total + number, 0);
      const other = renamed(row, clients, nodes);
      fc.pre((other[place] as number) < 0xffff);
      const isOwner = [0, 1, 2].some((node) => place === layout.node(node) + OWNER);
      fc.pre(!isOwner);
      other[place] = (other[place] as number) + 1;
      expect(sum(formOf(other))).not.toBe(sum(formOf(row)) - sum(ownersOf(formOf(row))) + sum(ownersOf(formOf(other))));
    }),
  );
});

function ownersOf(row: readonly number[]): number[] {
  return [0, 1, 2].map((node) => row[layout.node(node) + OWNER] as number);
}
