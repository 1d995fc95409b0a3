/** All the resources of a lock as one text, which for a single one is its name. */
export function joinedResources(resources: readonly string[]): string {
  return resources.length === 1 ? (resources[0] as string) : resources.join(', ');
}

/** All the resources of a lock, for a message. */
export function quotedResources(resources: readonly string[]): string {
  return resources.map((resource) => JSON.stringify(resource)).join(', ');
}
