/** Real time that all runs of a scenario on a backend took. It is shown, but in no file: those are the same each time. */
export class ElapsedTimes {
  private readonly timesMs = new Map<string, number>();

  add(cell: { readonly scenario: string; readonly backend: string }, elapsedMs: number): void {
    this.timesMs.set(keyOf(cell), this.of(cell) + elapsedMs);
  }

  of(cell: { readonly scenario: string; readonly backend: string }): number {
    return this.timesMs.get(keyOf(cell)) ?? 0;
  }
}

function keyOf({ scenario, backend }: { readonly scenario: string; readonly backend: string }): string {
  return JSON.stringify([scenario, backend]);
}
