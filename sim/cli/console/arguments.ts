import { availableParallelism } from 'node:os';
import { InvalidArgumentError } from 'commander';

/** More threads than this help nobody: each is a simulator of its own, of some 16 MB. */
export const MOST_THREADS = 256;

/** How many threads there are unless the user says so: one for each core. */
export function usualThreads(): number {
  return Math.min(availableParallelism(), MOST_THREADS);
}

/** Reads a whole number of this range. Throws commander's InvalidArgumentError, which names the option. */
export function wholeNumber(least: number, most: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(number) || number < least || number > most) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    }
    return number;
  };
}

/** Reads a path. Throws commander's InvalidArgumentError, which names the option. */
export function path(text: string): string {
  if (text === '' || text.includes('\0')) throw new InvalidArgumentError('It must be a path.');
  return text;
}

/** Reads names that are apart by commas, and adds them to those of the same option before. Throws commander's InvalidArgumentError. */
export function names(text: string, before: readonly string[] | undefined): readonly string[] {
  const read = text.split(',').map((name) => name.trim());
  if (read.includes('')) throw new InvalidArgumentError('It must be a name, or several that are apart by commas.');
  return [...(before ?? []), ...read];
}

/** Reads a path, and adds it to those of the same option before. Throws commander's InvalidArgumentError. */
export function paths(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), path(text)];
}
