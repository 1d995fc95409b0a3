import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Address } from '../address.ts';
import { type MonitorLine, parseMonitorLine } from './monitor-line.ts';
import { type Resp, RespReader } from './resp-reader.ts';

export type GoneCause = 'expired' | 'evicted';

/** Hears what a server does, in the order in which it does it. */
export interface MonitorListener {
  onLine(line: MonitorLine): void;
  /** A key went without a command that deleted it. */
  onKeyGone(key: string, cause: GoneCause): void;
}

/** What a server must be told to publish, as its setting `notify-keyspace-events` has it. */
export const PUBLISHED_EVENTS = 'Exe';
const CHANNEL = /^__keyevent@0__:(expired|evicted)$/;
/**
 * Only in RESP3 may one connection have messages of channels and MONITOR at once: Redis then writes both to it in the order in which things
 * happen.
 */
const REQUEST = 'HELLO 3\r\nSUBSCRIBE __keyevent@0__:expired __keyevent@0__:evicted\r\nMONITOR\r\n';

/** A connection on which a server reports every command that clients send it, and every key that expires or is evicted. */
export class MonitorStream {
  /** Resolves once the connection is closed, by either side, and everything that came before is heard; rejects with what a listener throws. */
  readonly ended: Promise<void>;
  private readonly socket: Socket;
  private readonly reader = new RespReader();
  private readonly listener: MonitorListener;
  private isOpen = false;
  private opened: () => void = () => undefined;
  private refused: (error: Error) => void = () => undefined;

  private constructor(socket: Socket, listener: MonitorListener) {
    this.socket = socket;
    this.listener = listener;
    this.ended = new Promise((resolve, reject) => {
      socket.on('data', (piece) => {
        try {
          for (const reply of this.reader.read(piece)) this.hear(reply);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
          socket.destroy();
        }
      });
      // That it broke is told by its end.
      socket.on('error', () => undefined);
      socket.on('close', () => resolve());
    });
  }

  /** Resolves once every command that the server runs from now on will be heard. */
  static async open({ host, port }: Address, listener: MonitorListener): Promise<MonitorStream> {
    const socket = connect({ host, port, noDelay: true });
    await once(socket, 'connect');
    const stream = new MonitorStream(socket, listener);
    const open = new Promise<void>((resolve, reject) => {
      stream.opened = resolve;
      stream.refused = reject;
    });
    const fail = (): void =>
      stream.refused(new Error(`the server at ${host}:${port} closed the connection to watch it`));
    stream.ended.then(fail, stream.refused);
    socket.write(REQUEST);
    try {
      await open;
    } catch (error) {
      stream.close();
      throw error;
    }
    return stream;
  }

  close(): void {
    this.socket.destroy();
  }

  private hear(reply: Resp): void {
    switch (reply.kind) {
      case 'error':
        this.refused(new Error(`a server cannot be watched: ${reply.text}`));
        break;
      case 'line':
        if (this.isOpen) this.listener.onLine(parseMonitorLine(reply.text));
        else {
          // The answer to MONITOR itself.
          this.isOpen = true;
          this.opened();
        }
        break;
      case 'push': {
        const [type, channel, key] = textsOf(reply);
        const cause = CHANNEL.exec(channel ?? '')?.[1];
        if (type === 'message' && cause !== undefined) this.listener.onKeyGone(key ?? '', cause as GoneCause);
        break;
      }
      case 'list':
      case 'text':
    }
  }
}

function textsOf({ items }: Extract<Resp, { items: unknown }>): string[] {
  return items.map((item) => ('text' in item ? item.text : ''));
}
