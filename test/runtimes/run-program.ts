import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

/** How long a program may take, and how long it may live on when it has printed its result: far more than any of them needs. */
export interface Limits {
  readonly totalMs: number;
  readonly endMs: number;
}

const GENEROUS: Limits = { totalMs: 60_000, endMs: 10_000 };

/** How a program ended. */
export interface Ended {
  /** Null if a signal ended it. */
  readonly code: number | null;
  /** The line of JSON that it printed, if it did. */
  readonly result: string | null;
  readonly stderr: string;
  /** Which limit it exceeded, so that it was killed. */
  readonly exceeded: keyof Limits | null;
}

/** What the child must not take over from whatever started this. */
const FOREIGN_VARIABLES = /^(npm_|NODE_OPTIONS$|NODE_PATH$|VITEST|DENO_|BUN_)/;

function cleanEnvironment(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !FOREIGN_VARIABLES.test(name));
  return { ...Object.fromEntries(inherited), NO_COLOR: '1', ...extra };
}

/** Runs a command that is to print one line of JSON and then to end by itself. */
export async function runProgram(
  [program = '', ...args]: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
  limits: Limits = GENEROUS,
): Promise<Ended> {
  const child = spawn(program, args, { cwd, env: cleanEnvironment(env), stdio: ['ignore', 'pipe', 'pipe'] });
  let exceeded: keyof Limits | null = null;
  let result: string | null = null;
  const kill = (limit: keyof Limits): void => {
    exceeded = limit;
    child.kill('SIGKILL');
  };
  const timers = [setTimeout(kill, limits.totalMs, 'totalMs')];
  createInterface(child.stdout).on('line', (line) => {
    result ??= line;
    timers.push(setTimeout(kill, limits.endMs, 'endMs'));
  });
  try {
    const [closed, stderr] = await Promise.all([once(child, 'close'), text(child.stderr)]);
    return { code: closed[0] as number | null, result, stderr, exceeded };
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}

/** What is wrong with how the program of a cell ended; null if nothing is. */
export function complaint(
  { code, result, stderr, exceeded }: Ended,
  calledPrefix: string,
  limits = GENEROUS,
): string | null {
  const printed = stderr.trim() === '' ? '' : `\n${stderr.trim()}`;
  if (exceeded === 'totalMs') return `not done after ${limits.totalMs / 1000} s${printed}`;
  if (exceeded === 'endMs') {
    return `printed its result, and did not end by itself within ${limits.endMs / 1000} s: something keeps its event loop alive${printed}`;
  }
  if (code !== 0) return `ended with ${code === null ? 'a signal' : `exit code ${code}`}${printed}`;
  if (result === null) return `ended without a result: it awaited something that nothing was left to settle${printed}`;
  const { runtime } = JSON.parse(result) as { readonly runtime: string };
  if (!runtime.startsWith(calledPrefix)) return `ran on ${runtime}, where "${calledPrefix}" was wanted`;
  if (printed !== '') return `printed to stderr:${printed}`;
  return null;
}
