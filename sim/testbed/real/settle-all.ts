/** All of them, or the first error once none is on its way any more: then everything that there will be is there to be removed. */
export async function settleAll<Values extends readonly unknown[]>(work: {
  [Index in keyof Values]: Promise<Values[Index]>;
}): Promise<Values> {
  await Promise.allSettled(work);
  return Promise.all(work);
}
