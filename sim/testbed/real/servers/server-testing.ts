import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Address } from '../address.ts';

/** A server that answers INFO with these lines, and TIME with 1.5 seconds after the epoch. */
export async function serverWith(...info: readonly string[]): Promise<Address> {
  const text = `# Server\r\n${info.map((line) => `${line}\r\n`).join('')}`;
  return serverThat((command) =>
    command.includes('info')
      ? `$${text.length}\r\n${text}\r\n`
      : command.includes('time')
        ? '*2\r\n$1\r\n1\r\n$6\r\n500000\r\n'
        : '+OK\r\n',
  );
}

/** A server that answers each command, in small letters, so. */
export async function serverThat(answer: (command: string) => string): Promise<Address> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.setEncoding('utf8').on('data', (piece: string) => {
      // Each command is an array, which begins with a star.
      for (const command of piece.toLowerCase().split(/(?=\*\d+\r\n)/)) socket.write(answer(command));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}
