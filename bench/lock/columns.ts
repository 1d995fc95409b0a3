/** What is wrong with one of the nodes: `slow` answers later, `hung` accepts everything and says nothing. */
export type Condition = 'healthy' | 'slow' | 'hung';

/** How much later the slow node answers. */
export const SLOW_NODE_MS = 20;

/** One situation in which all contenders are measured. */
export interface Column {
  /** Names it on the command line. */
  readonly id: string;
  /** Names it in tables. */
  readonly title: string;
  readonly nodeCount: number;
  /** How many acquire and release at a time, each a resource of its own. */
  readonly concurrency: number;
  /** Of one node; the others are healthy. */
  readonly condition: Condition;
}

function column(nodeCount: number, concurrency: number, condition: Condition = 'healthy'): Column {
  const load = concurrency === 1 ? 'seq' : `${concurrency}`;
  const nodes = nodeCount === 1 ? '1 node' : `${nodeCount} nodes`;
  const trouble = { healthy: '', slow: `, one +${SLOW_NODE_MS} ms`, hung: ', one hung' }[condition];
  return {
    id: `${nodeCount}-${load}${condition === 'healthy' ? '' : `-${condition}`}`,
    title: `${nodes}${trouble}, ${concurrency === 1 ? 'sequential' : `${concurrency} at a time`}`,
    nodeCount,
    concurrency,
    condition,
  };
}

export const COLUMNS: readonly Column[] = [
  ...[1, 3, 5].flatMap((nodeCount) => [1, 50, 500].map((concurrency) => column(nodeCount, concurrency))),
  ...(['slow', 'hung'] as const).flatMap((condition) =>
    [1, 50].map((concurrency) => column(5, concurrency, condition)),
  ),
];
