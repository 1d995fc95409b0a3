/** A line of Redis' MONITOR. */
export interface MonitorLine {
  /** What the server's own clock read, in milliseconds since the epoch. */
  readonly wallMs: number;
  /** Whether a script ran the command, not a client: it follows from the script. */
  readonly isScripted: boolean;
  readonly args: readonly string[];
}

const LINE = /^(\d+\.\d+) \[\d+ (.*?)\] (.*)$/s;
/** An argument in quotes, in which backslashes protect quotes and themselves. */
const ARGUMENT = /"((?:[^"\\]|\\.)*)"(?: |$)/gsy;
const ESCAPE = /\\(?:x([0-9a-f]{2})|(.))/gis;
const LETTERS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', a: '\u0007', b: '\b' };

/**
 * Reads a line such as `1700000000.123456 [0 127.0.0.1:4711] "SET" "key" "value"`. Throws an Error if it is none: then what the server
 * does would be missed.
 */
export function parseMonitorLine(text: string): MonitorLine {
  const [, time, source, rest = ''] = LINE.exec(text) ?? [];
  const args: string[] = [];
  let end = 0;
  for (const match of rest.matchAll(ARGUMENT)) {
    args.push(unescapeArgument(match[1] ?? ''));
    end = match.index + match[0].length;
  }
  if (time === undefined || args.length === 0 || end !== rest.length) {
    throw new Error(`a redis-server reports by MONITOR what is no command: ${text.slice(0, 200)}`);
  }
  return { wallMs: Number(time) * 1000, isScripted: source === 'lua', args };
}

/** An argument as it was sent: MONITOR escapes each byte that is not plain ASCII (sdscatrepr of Redis). */
function unescapeArgument(text: string): string {
  if (!text.includes('\\')) return text;
  const bytes = text.replace(ESCAPE, (_whole, code: string | undefined, letter: string | undefined) =>
    code === undefined ? (LETTERS[letter ?? ''] ?? letter ?? '') : String.fromCharCode(Number.parseInt(code, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
