/** The name by which faults, histories and reports call the protected resource. */
export const RESOURCE = 'resource';

/** How the nodes of a scenario are called, in their order: n1, n2 and so on. */
export function nodeNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => nodeName(index));
}

/** The name of the node at this place, from 0. */
export function nodeName(place: number): string {
  return `n${place + 1}`;
}
