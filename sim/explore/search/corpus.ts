import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { makeFolderOf, writeWhole } from '../../results/results-folder.ts';
import { BOUND_NAMES, type Envelope } from '../envelope/envelope.ts';
import type { RunKey } from './search.ts';

const entry = z.strictObject({
  /** The bounds that were open when it was drawn. */
  open: z.array(z.enum(BOUND_NAMES)),
  seed: z.int().min(0),
  index: z.int().min(0),
  /** Why it is kept: the fault and the phase of the protocol that it was the first to bring together, or what broke in it. */
  why: z.string().min(1),
});
export type CorpusEntry = z.output<typeof entry>;

const corpusFile = z.strictObject({ format: z.literal(1), runs: z.array(entry) });

/** A corpus cannot be read. The message names the file and the remedy. */
export class CorpusError extends Error {
  override readonly name = 'CorpusError';
}

/** Runs that are worth running first: one for each combination of a fault and a phase, and those in which something broke. */
export class Corpus {
  private readonly entries: readonly CorpusEntry[];

  constructor(entries: readonly CorpusEntry[]) {
    this.entries = entries;
  }

  /** The corpus of a file; an empty one if there is no such file. Throws a CorpusError. */
  static read(path: string): Corpus {
    if (!existsSync(path)) return new Corpus([]);
    const remedy = 'remove it, or name another file with --corpus';
    let data: unknown;
    try {
      data = JSON.parse(readFileSync(path, 'utf8'));
    } catch (cause) {
      throw new CorpusError(
        `${path}: is no corpus that can be read (${(cause as Error).message.replaceAll(/\s+/g, ' ')}); ${remedy}`,
        {
          cause,
        },
      );
    }
    const result = corpusFile.safeParse(data);
    if (result.success) return new Corpus(result.data.runs);
    const [issue] = result.error.issues;
    throw new CorpusError(`${path}: is no corpus (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}); ${remedy}`);
  }

  /** Throws an OutputError. */
  write(path: string): void {
    makeFolderOf(path);
    writeWhole(path, `${JSON.stringify({ format: 1, runs: this.entries }, null, 1)}\n`);
  }

  get size(): number {
    return this.entries.length;
  }

  /** The runs that were drawn in this envelope, each once: those in which something broke first. */
  keysFor(envelope: Envelope): RunKey[] {
    const own = this.entries.filter(({ open }) => sameBounds(open, envelope.open));
    const keys = new Map<string, RunKey>();
    for (const { seed, index } of [...own.filter(isBroken), ...own]) keys.set(`${seed} ${index}`, { seed, index });
    return [...keys.values()];
  }

  /**
   * The corpus with what runs of this envelope have come to: `firsts` has the first run for each combination, those of the corpus before
   * all others, and `broken` for what broke. If the whole corpus was run, what its runs bring about no more, because scenarios are drawn in another
   * way now, goes; runs in which something broke once stay.
   */
  updated(envelope: Envelope, { firsts, broken, isWhole }: CorpusNews): Corpus {
    const open = BOUND_NAMES.filter((bound) => envelope.open.includes(bound));
    const isOwn = (each: CorpusEntry): boolean => sameBounds(each.open, open);
    const kept = this.entries.filter((each) => !isOwn(each) || isBroken(each) || !isWhole);
    const known = new Set(kept.filter(isOwn).map(({ why }) => why));
    const news = [...[...broken].map(([symptom, key]) => [BROKEN + symptom, key] as const), ...firsts];
    const added = news.filter(([why]) => !known.has(why));
    return new Corpus([...kept, ...added.map(([why, { seed, index }]) => ({ open, seed, index, why }))]);
  }
}

/** What an exploration brings to a corpus. */
export interface CorpusNews {
  /** By `kind phase`. */
  readonly firsts: ReadonlyMap<string, RunKey>;
  /** By what broke. */
  readonly broken: ReadonlyMap<string, RunKey>;
  /** Whether every run of the corpus was run again. */
  readonly isWhole: boolean;
}

const BROKEN = 'violates ';

function isBroken({ why }: CorpusEntry): boolean {
  return why.startsWith(BROKEN);
}

function sameBounds(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((bound) => other.includes(bound));
}
