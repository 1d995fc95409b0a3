import type { Moment } from '../../faults/moments.ts';

export function without<Part>(parts: readonly Part[], index: number): Part[] {
  return parts.filter((_part, each) => each !== index);
}

/** The fields but for one. */
export function omitting<Fields extends object, Name extends keyof Fields>(
  fields: Fields,
  name: Name,
): Omit<Fields, Name> {
  const copy: Partial<Fields> = { ...fields };
  Reflect.deleteProperty(copy, name);
  return copy as Omit<Fields, Name>;
}

export function replaced<Part>(parts: readonly Part[], index: number, part: Part): Part[] {
  return parts.map((old, each) => (each === index ? part : old));
}

const DECIMAL = 10;

/** Durations of a few milliseconds less or more that take fewer digits to write, the roundest first; none if there is but one digit. */
export function rounder(milliseconds: number): number[] {
  const digits = significantDigits(milliseconds);
  const found: number[] = [];
  for (let keep = 1; keep < digits; keep += 1) {
    const unit = DECIMAL ** (Math.floor(Math.log10(Math.abs(milliseconds))) + 1 - keep);
    for (const round of [Math.round, Math.ceil, Math.floor]) {
      // Whole microseconds, as in a scenario file.
      const value = Math.round(round(milliseconds / unit) * unit * 1000) / 1000;
      if (value !== 0 && significantDigits(value) < digits && !found.includes(value)) found.push(value);
    }
  }
  return found;
}

function significantDigits(number: number): number {
  const digits = String(Math.abs(number)).replace('.', '').replace(/^0+/, '').replace(/0+$/, '');
  return Number.isFinite(number) ? Math.max(1, digits.length) : 1;
}

/** Simpler moments: at once, a rounder time, or an event that is less narrowed, or sooner. */
export function* simplerMoments({ at, after }: Moment): Generator<Moment> {
  if (after === undefined) {
    if (at === undefined) return;
    yield {};
    if (at > 0) for (const ms of rounder(at)) yield { at: ms };
    return;
  }
  yield {};
  const { delay, nth, ...pattern } = after;
  const rest = { ...(nth === undefined ? {} : { nth }), ...(delay === undefined ? {} : { delay }) };
  if (pattern.event === 'command-executed' || pattern.event === 'attempt-started') {
    yield {
      after: {
        event: 'acquire-granted',
        ...(pattern.client === undefined ? {} : { client: pattern.client }),
        ...(delay === undefined ? {} : { delay }),
      },
    };
  }
  if (delay !== undefined) {
    yield { after: { ...pattern, ...(nth === undefined ? {} : { nth }) } };
    for (const ms of rounder(delay)) yield { after: { ...pattern, ...rest, delay: ms } };
  }
  if (nth !== undefined) yield { after: { ...pattern, ...(delay === undefined ? {} : { delay }) } };
}
