import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

const TWO_TO_32 = 0x1_0000_0000;
const HEX = Array.from({ length: 0x1_0000 }, (_, number) => number.toString(16).padStart(4, '0'));

/** A stream of random numbers of its own: what is drawn from one stream never moves another. */
export class RandomStream {
  private readonly generator: RandomGenerator;

  constructor(seed: number) {
    this.generator = xoroshiro128plus(seed);
  }

  /** A number in [0, 1). */
  fraction(): number {
    return (this.generator.next() >>> 0) / TWO_TO_32;
  }

  /** A whole number from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1));
  }

  /** 160 bits as 40 hexadecimal digits. */
  token(): string {
    return this.word() + this.word() + this.word() + this.word() + this.word();
  }

  private word(): string {
    const bits = this.generator.next();
    return (HEX[bits >>> 16] as string) + (HEX[bits & 0xffff] as string);
  }
}

/** The named streams of one seed. */
export class RandomStreams {
  private readonly seed: number;

  constructor(seed: number) {
    this.seed = seed;
  }

  stream(name: string): RandomStream {
    return new RandomStream(hash(`${this.seed}/${name}`));
  }
}

/** FNV-1a over UTF-16 units, with a final mix so that names which differ in their last letter give distant seeds. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193);
  }
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) | 0;
}
