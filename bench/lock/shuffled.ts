/** The values in an order drawn from `random`, each order as likely as any other. */
export function shuffled<Value>(values: readonly Value[], random: { fraction(): number }): Value[] {
  const drawn = [...values];
  for (let last = drawn.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random.fraction() * (last + 1));
    [drawn[last], drawn[other]] = [drawn[other] as Value, drawn[last] as Value];
  }
  return drawn;
}
