import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

const TWO_TO_32 = 0x1_0000_0000;
const HEX = Array.from({ length: 0x1_0000 }, (_, number) => number.toString(16).padStart(4, '0'));

/** A stream of random numbers of its own: what is drawn from one stream never moves another. */
export class RandomStream {
  private readonly generator: RandomGenerator;

  /** `name` is all that the stream follows from. */
  constructor(name: string) {
    // 128 bits of state from as many of hash: with fewer, two of many clients would now and then draw the same lock values.
    this.generator = xoroshiro128plusFromState([hash(name, 1), hash(name, 2), hash(name, 3), hash(name, 4)]);
  }

  /** A number in [0, 1). */
  fraction(): number {
    return (this.generator.next() >>> 0) / TWO_TO_32;
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
    return new RandomStream(`${this.seed}/${name}`);
  }
}

/** FNV-1a over UTF-16 units, with a final mix so that names which differ in their last letter give distant numbers. Each variant is a hash of its own. */
function hash(text: string, variant: number): number {
  let state = Math.imul(0x811c9dc5 ^ variant, 0x01000193);
  for (let index = 0; index < text.length; index += 1) {
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193);
  }
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) | 0;
}
