/** An answer to INFO of a master, with these fields changed. */
export function infoOf(fields: Readonly<Record<string, string>> = {}): string {
  const all = { redis_mode: 'standalone', run_id: 'abc123', loading: '0', role: 'master', ...fields };
  const lines = Object.entries(all).map(([name, value]) => `${name}:${value}\r\n`);
  return `# Server\r\n${lines.join('')}\r\n`;
}
