/** The value at this fraction of the sorted values, between two of them in proportion; NaN of none. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  const place = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** A median, and how far apart the middle half of the values lies. */
export interface Summary {
  readonly median: number;
  readonly interquartileRange: number;
}

export function summarize(values: readonly number[]): Summary {
  return { median: median(values), interquartileRange: quantile(values, 0.75) - quantile(values, 0.25) };
}

/** Each value as a share of the other one of the same round: what slows a whole round down slows both. */
export function pairedRatios(values: readonly number[], others: readonly number[]): number[] {
  return values.flatMap((value, round) => {
    const other = others[round];
    return other === undefined ? [] : [value / other];
  });
}
