/** A backend cannot run here: what is missing, and what would put it right. */
export class TestbedUnavailableError extends Error {
  /** What is missing; the message. */
  readonly problem: string;
  readonly remedy: string;

  constructor(problem: string, remedy: string, options?: ErrorOptions) {
    super(problem, options);
    this.name = 'TestbedUnavailableError';
    this.problem = problem;
    this.remedy = remedy;
  }
}

/**
 * A run on real servers came to nothing, because something that it depends on did not do its part: a server was killed, or its clock does not move. It proves
 * nothing, and another run may well succeed.
 */
export class RunLostError extends Error {
  override readonly name = 'RunLostError';
}
