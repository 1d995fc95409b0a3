/** A backend cannot run here: what is missing, and what would put it right. */
export class TestbedUnavailableError extends Error {
  readonly remedy: string;

  constructor(problem: string, remedy: string, options?: ErrorOptions) {
    super(problem, options);
    this.name = 'TestbedUnavailableError';
    this.remedy = remedy;
  }
}
