/** One name for the route from an end to a server: no name of either has a colon. */
export function routeName(from: string, server: string): string {
  return `${from}:${server}`;
}
