import { TestbedUnavailableError } from '../../testbed-error.ts';
import { OldServerError, TlsOnlyError, wantsPassword } from './server-facts.ts';

/** What would put right that a run cannot use a server, by what is wrong with it. */
export interface ServerRemedies {
  readonly password: string;
  readonly tls: string;
  readonly tooOld: string;
  /** It answers in no way that Redis does. */
  readonly strange: string;
}

/** What a backend says of a server that `readServer` rejected; `who` begins the sentence. */
export function serverRefusal(who: string, error: Error, remedies: ServerRemedies): TestbedUnavailableError {
  const refuse = (problem: string, remedy: string): TestbedUnavailableError =>
    new TestbedUnavailableError(`${who} ${problem}`, remedy, { cause: error });
  if (error instanceof OldServerError) {
    return refuse(`cannot be watched, which needs Redis 6.2 or later: ${error.message}`, remedies.tooOld);
  }
  if (wantsPassword(error)) return refuse('demands a password', remedies.password);
  if (error instanceof TlsOnlyError) return refuse('speaks nothing but TLS', remedies.tls);
  return refuse(`does not answer as Redis without TLS does: ${error.message}`, remedies.strange);
}
