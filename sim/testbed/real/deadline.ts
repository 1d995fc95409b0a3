/** The result of the work, if it comes in time. Otherwise rejects with what `late` makes; the work then goes on unheeded. */
export async function within<Result>(
  milliseconds: number,
  work: Promise<Result>,
  late: () => Error | Promise<Error>,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const isLate = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, milliseconds, null);
    // Where nobody waits for the work any more, nobody waits for its deadline.
    timer.unref();
  });
  try {
    const outcome = await Promise.race([work.then((result) => ({ result })), isLate]);
    if (outcome === null) throw await late();
    return outcome.result;
  } finally {
    clearTimeout(timer);
  }
}
