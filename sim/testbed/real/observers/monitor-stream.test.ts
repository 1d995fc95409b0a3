import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MonitorStream } from './monitor-stream.ts';

/** The answers of a server to HELLO, SUBSCRIBE and MONITOR. */
const GREETING =
  '%1\r\n$6\r\nserver\r\n$5\r\nredis\r\n>3\r\n+subscribe\r\n+x\r\n:1\r\n>3\r\n+subscribe\r\n+y\r\n:2\r\n+OK\r\n';

describe('MonitorStream', () => {
  let server: Server;
  let answer: (socket: Socket) => void;
  let heard: string[];

  beforeEach(async () => {
    heard = [];
    server = createServer((socket) => {
      socket.once('data', () => answer(socket));
      socket.on('error', () => undefined);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(() => {
    server.close();
  });

  function open(): Promise<MonitorStream> {
    const { port } = server.address() as AddressInfo;
    return MonitorStream.open(
      { host: '127.0.0.1', port },
      {
        onLine: ({ args, isScripted }) => heard.push(`${args.join(' ')}${isScripted ? ' by a script' : ''}`),
        onKeyGone: (key, cause) => heard.push(`${key} ${cause}`),
      },
    );
  }

  it('hears commands and lost keys in their order, until the last before the end', async () => {
    answer = (socket) => {
      socket.write(
        `${GREETING}+1.0 [0 a:1] "GET" "k"\r\n>3\r\n$7\r\nmessage\r\n$22\r\n__keyevent@0__:expired\r\n$3\r\n`,
      );
      socket.write(
        'k\r\n\r\n+1.0 [0 lua] "GET" "k"\r\n>3\r\n+message\r\n+__keyevent@0__:evicted\r\n+l\r\n>3\r\n+message\r\n+other\r\n+m\r\n',
      );
      socket.end('+1.0 [0 a:1] "PING"\r\n');
    };
    const stream = await open();
    await stream.ended;
    expect(heard).toEqual(['GET k', 'k\r\n expired', 'GET k by a script', 'l evicted', 'PING']);
  });

  it('tells by its end what it could not read', async () => {
    answer = (socket) => void socket.write(`${GREETING}+no command\r\n`);
    const stream = await open();
    await expect(stream.ended).rejects.toThrow('what is no command: no command');
  });

  it('says what a server answers that cannot be watched', async () => {
    answer = (socket) => void socket.write('-ERR unknown command HELLO\r\n-ERR no\r\n');
    await expect(open()).rejects.toThrow('a server cannot be watched: ERR unknown command HELLO');
    answer = (socket) => void socket.end();
    await expect(open()).rejects.toThrow(/the server at 127\.0\.0\.1:\d+ closed the connection to watch it/);
    answer = (socket) => void socket.write('HTTP/1.1 400\r\n');
    await expect(open()).rejects.toThrow('a server sends what is no RESP');
  });
});
