/** Replaces a piece of one file's text. */
export interface Patch {
  /** The path from the root of the repository, such as `src/quorum.ts`. */
  readonly file: string;
  /** Must occur exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}

/** A Redlock that is broken in one way, on purpose: if the testbed does not notice, the testbed is at fault. */
export interface Mutant {
  /** Names it on the command line: lower case letters, digits and dashes. */
  readonly name: string;
  /** What it does wrong, in half a sentence for people. */
  readonly broken: string;
  readonly patches: readonly Patch[];
}

/** The sources that a patch was written for have changed. */
export class PatchError extends Error {
  override readonly name = 'PatchError';
}

/** The text of a file with all patches of the mutant to it applied. Throws a PatchError that names the mutant and the patch that does not fit. */
export function patchedText(mutant: Mutant, file: string, text: string): string {
  let patched = text;
  for (const patch of mutant.patches) if (patch.file === file) patched = applyPatch(mutant, patch, patched);
  return patched;
}

function applyPatch({ name }: Mutant, { file, find, replace }: Patch, text: string): string {
  const pieces = text.split(find);
  if (pieces.length !== 2) {
    const count = pieces.length === 1 ? 'is not there' : `is there ${pieces.length - 1} times`;
    throw new PatchError(
      `The mutant ${name} does not fit ${file} any more: ${JSON.stringify(find)} ${count}, and must be there once. ` +
        `Adapt its patch in sim/mutants/set/.`,
    );
  }
  return pieces.join(replace);
}
