import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Hands bytes on to a port of this machine, and can take connections away. */
export class TcpProxy {
  readonly port: number;
  private readonly listener: Server;
  private readonly sockets = new Set<Socket>();
  private target: number;
  private losesNextAnswer = false;
  private lost = 0;

  private constructor(listener: Server, target: number) {
    this.listener = listener;
    this.port = (listener.address() as AddressInfo).port;
    this.target = target;
    listener.on('connection', (client) => {
      this.join(client);
    });
  }

  /** Starts a proxy that leads to the port. */
  static async to(port: number): Promise<TcpProxy> {
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return new TcpProxy(listener, port);
  }

  /** How many answers were lost so far. */
  get cuts(): number {
    return this.lost;
  }

  /** Cuts the connections; further ones lead to that port. */
  leadTo(port: number): void {
    this.target = port;
    this.cut();
  }

  /** The next answer is lost, together with its connection. */
  cutBeforeNextAnswer(): void {
    this.losesNextAnswer = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.listener.close();
    this.cut();
    await once(this.listener, 'close');
  }

  private join(client: Socket): void {
    const server = connect(this.target, '127.0.0.1');
    client.pipe(server);
    server.on('data', (bytes) => {
      if (this.losesNextAnswer) {
        this.losesNextAnswer = false;
        this.lost += 1;
        client.destroy();
      } else client.write(bytes);
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        this.sockets.delete(one);
        other.destroy();
      });
    }
  }

  private cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}
