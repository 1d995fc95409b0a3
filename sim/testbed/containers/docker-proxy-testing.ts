import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** The socket of a Docker daemon that a test may take away, or let hang, without harm to the daemon. */
export class DockerProxy {
  readonly path: string;
  private readonly daemon: string;
  private server: Server | null = null;
  private readonly sockets = new Set<Socket>();
  private isHanging = false;
  private trigger: { readonly requests: RegExp[]; readonly act: () => void } | null = null;

  /** `path` is where it listens, `daemon` the socket of the daemon. */
  constructor(path: string, daemon: string) {
    this.path = path;
    this.daemon = daemon;
  }

  /** Takes connections, and passes on what they carry. */
  async open(): Promise<void> {
    this.isHanging = false;
    this.server = createServer({ allowHalfOpen: true }, (client) => {
      if (this.isHanging) this.keep(client);
      else this.join(client);
    }).listen(this.path);
    await once(this.server, 'listening');
  }

  /** Resolves once requests have begun, one after the other, that match. The last does not reach the daemon: `act` comes before. */
  at(requests: readonly RegExp[], act: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.trigger = {
        requests: [...requests],
        act: () => {
          act();
          resolve();
        },
      };
    });
  }

  /** Nobody listens any more, and what was connected is cut off. */
  vanish(): void {
    this.server?.close();
    this.server = null;
    for (const socket of this.sockets) socket.destroy();
    rmSync(this.path, { force: true });
  }

  /** Whoever connects is taken, and nobody hears anything any more. */
  hang(): void {
    this.isHanging = true;
    for (const socket of this.sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  private join(client: Socket): void {
    const upstream = connect({ path: this.daemon, allowHalfOpen: true });
    for (const socket of [client, upstream]) this.keep(socket);
    client.once('close', () => upstream.destroy());
    upstream.once('close', () => client.destroy());
    upstream.pipe(client);
    client.on('data', (chunk) => {
      this.look(chunk.toString('latin1'));
      if (!this.isHanging && !client.destroyed) upstream.write(chunk);
    });
    client.on('end', () => upstream.end());
  }

  private look(text: string): void {
    const { trigger } = this;
    if (trigger?.requests[0]?.test(text) !== true) return;
    trigger.requests.shift();
    if (trigger.requests.length > 0) return;
    this.trigger = null;
    trigger.act();
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.sockets.delete(socket));
  }
}
