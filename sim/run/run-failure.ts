/** Something went wrong in one run that is no fault of the user. */
export class RunFailure extends Error {
  override readonly name = 'RunFailure';
  readonly replay: string;

  constructor(replay: string, cause: unknown) {
    super('a run failed', { cause });
    this.replay = replay;
  }
}
