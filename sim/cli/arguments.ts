import { InvalidArgumentError } from 'commander';

/** Reads a whole number from `least` on. Throws commander's InvalidArgumentError, which names the option. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(number) || number < least) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${Number.MAX_SAFE_INTEGER}.`);
    }
    return number;
  };
}

/** Reads a path. Throws commander's InvalidArgumentError, which names the option. */
export function path(text: string): string {
  if (text === '' || text.includes('\0')) throw new InvalidArgumentError('It must be a path.');
  return text;
}
