import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Address } from '../client/client-messages.ts';
import { readServer, wantsPassword } from './server-facts.ts';

/** A server that answers INFO with these lines, and TIME with 1.5 seconds after the epoch. */
async function serverWith(...info: readonly string[]): Promise<Address> {
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
async function serverThat(answer: (command: string) => string): Promise<Address> {
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

describe('readServer', () => {
  it.each([
    ['Redis', ['redis_version:7.0.15', 'process_id:42'], '7.0.15'],
    // Valkey says which Redis it is like as well.
    [
      'Valkey 8',
      ['redis_version:7.2.4', 'server_name:valkey', 'valkey_version:8.1.0', 'process_id:42'],
      'valkey-8.1.0',
    ],
    ['whoever tells it first', ['valkey_version:9.1.2', 'redis_version:7.2.4', 'process_id:42'], 'valkey-9.1.2'],
  ])('reads the version of %s', async (_who, info, version) => {
    expect(await readServer(await serverWith(...info))).toEqual({ version, wallMs: 1500, processId: 42 });
  });

  it('refuses a server that tells no version', async () => {
    await expect(readServer(await serverWith('process_id:42'))).rejects.toThrow('it tells no version');
  });

  it('rejects with what a server answers that lets nobody in', async () => {
    const address = await serverThat(() => '-NOAUTH Authentication required.\r\n');
    const error = await readServer(address).catch((reason: unknown) => reason as Error);
    expect(error).toBeInstanceOf(Error);
    expect(wantsPassword(error as Error)).toBe(true);
  });
});
