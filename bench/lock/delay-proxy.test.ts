import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';

const DELAY_MS = 30;
let proxy: ChildProcess | null = null;

afterEach(() => {
  proxy?.kill();
});

it('brings everything back, in order, and not before the delay', async () => {
  const echo = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const program = fileURLToPath(new URL('delay-proxy-main.mjs', import.meta.url));
  proxy = fork(program, [`${(echo.address() as AddressInfo).port}`, `${DELAY_MS}`], { execArgv: [] });
  const [port] = (await once(proxy, 'message')) as [number];
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  const sentMs = performance.now();
  const text = Array.from({ length: 1000 }, (_, index) => `${index},`).join('');
  for (const part of text.split(/(?<=,)/)) socket.write(part);
  let received = '';
  for await (const bytes of socket) {
    // Timers of the event loop may come a fraction of a millisecond early.
    if (received === '') expect(performance.now() - sentMs).toBeGreaterThan(DELAY_MS - 1);
    received += String(bytes);
    if (received.length === text.length) break;
  }
  expect(received).toBe(text);
  socket.destroy();
  echo.close();
});
