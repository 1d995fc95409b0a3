import { quorumOf } from '../../src/quorum.ts';

/** How a partition leaves the clients with some of the nodes. */
export type PartitionShape = 'bridge' | 'ring' | 'minority' | 'majority';

/** The links that a partition of this shape cuts: all but those that each client is left with. */
export function linksOutside(
  shape: PartitionShape,
  clients: readonly string[],
  nodes: readonly string[],
): { readonly client: string; readonly node: string }[] {
  const quorum = quorumOf(nodes.length);
  const isLeft = (client: number, node: number): boolean => {
    switch (shape) {
      case 'bridge':
        return client < clients.length / 2 ? node < quorum : node >= nodes.length - quorum;
      case 'ring':
        return (node - client + clients.length * nodes.length) % nodes.length < quorum;
      case 'minority':
        return node < nodes.length - quorum;
      case 'majority':
        return node < quorum;
    }
  };
  return clients.flatMap((client, clientIndex) =>
    nodes.filter((_node, nodeIndex) => !isLeft(clientIndex, nodeIndex)).map((node) => ({ client, node })),
  );
}
