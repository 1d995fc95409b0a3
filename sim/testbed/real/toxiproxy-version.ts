import { setTimeout } from 'node:timers/promises';

const ASK_EVERY_MS = 5;
const ANSWER_WITHIN_MS = 1000;

/**
 * Resolves, once a Toxiproxy that was just started answers, to the version that it tells. Rejects with an Error if something else answers, or nobody
 * within `withinMs`; and with what `stillRuns` rejects with, which is called whenever there was no answer yet.
 */
export async function toxiproxyVersion(
  url: string,
  withinMs: number,
  stillRuns: () => Promise<void> = () => Promise.resolve(),
): Promise<string> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    const answer = await ask(`${url}/version`);
    if (answer !== null) {
      const version = versionIn(answer);
      if (version === null) throw new Error(`at ${url} something else answers: ${answer.slice(0, 200)}`);
      return version;
    }
    await stillRuns();
    if (performance.now() > deadlineMs) throw new Error(`it did not answer at ${url} within ${withinMs} ms`);
    await setTimeout(ASK_EVERY_MS);
  }
}

async function ask(url: string): Promise<string | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    return await response.text();
  } catch {
    return null;
  }
}

function versionIn(answer: string): string | null {
  try {
    const { version } = JSON.parse(answer) as { readonly version?: unknown };
    return typeof version === 'string' ? version : null;
  } catch {
    return null;
  }
}
