import type Dockerode from 'dockerode';
import { type BoundPorts, GenericContainer } from 'testcontainers';
import type { Address } from '../real/address.ts';
import { toxiproxyVersion } from '../real/toxiproxy-version.ts';
import { RunLostError, TestbedUnavailableError } from '../testbed-error.ts';
import { endOf } from './container-end.ts';
import { lastLines, ReadyWhen } from './printed-line.ts';

const API_PORT = 8474;
const FIRST_PROXY_PORT = 20_000;
const READY_WITHIN_MS = 10_000;

export interface ToxiproxyContainerOptions {
  readonly engine: Dockerode;
  readonly image: string;
  readonly containerName: string;
  readonly network: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly proxyCount: number;
  /** Whether this host reaches containers by their own addresses; otherwise their ports are published. */
  readonly isDirect: boolean;
  /** Where published ports are. */
  readonly host: string;
}

/** Toxiproxy in a container: the only one that the run and its clients talk to. */
export class ToxiproxyContainer {
  readonly url: string;
  private readonly container: Dockerode.Container;
  private readonly containerName: string;
  private readonly addressOf: (port: number) => Address;

  private constructor(container: Dockerode.Container, containerName: string, addressOf: (port: number) => Address) {
    this.container = container;
    this.containerName = containerName;
    this.addressOf = addressOf;
    this.url = urlOf(addressOf(API_PORT));
  }

  static async start(options: ToxiproxyContainerOptions): Promise<ToxiproxyContainer> {
    const { engine, image, containerName, network, labels, proxyCount, isDirect } = options;
    let addressOf: (port: number) => Address = () => {
      throw new Error('Toxiproxy was not started');
    };
    const generic = new GenericContainer(image)
      .withName(containerName)
      .withNetworkMode(network)
      .withLabels({ ...labels })
      .withAutoCleanup(false)
      .withWaitStrategy(
        new ReadyWhen(async ({ id }, ports) => {
          const container = engine.getContainer(id);
          addressOf = isDirect ? await directAddresses(container, network) : publishedAddresses(options.host, ports);
          await untilReady(container, image, urlOf(addressOf(API_PORT)));
        }),
      );
    if (!isDirect) {
      generic.withExposedPorts(API_PORT, ...Array.from({ length: proxyCount }, (_, number) => proxyPort(number)));
    }
    const started = await generic.start();
    return new ToxiproxyContainer(engine.getContainer(started.getId()), containerName, addressOf);
  }

  /** How it has ended although nobody stopped it, in words; null if it has not. */
  async unaskedEnd(): Promise<string | null> {
    const end = await endOf(this.container);
    return end === null ? null : `Toxiproxy ${end}`;
  }

  proxyListen(number: number): string {
    return `0.0.0.0:${proxyPort(number)}`;
  }

  proxyAddress(number: number): Address {
    return this.addressOf(proxyPort(number));
  }

  /** Where the other containers of the network reach the proxy. */
  proxyAddressForServers(number: number): Address {
    return { host: this.containerName, port: proxyPort(number) };
  }
}

function proxyPort(number: number): number {
  return FIRST_PROXY_PORT + number;
}

function urlOf({ host, port }: Address): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function directAddresses(container: Dockerode.Container, network: string): Promise<(port: number) => Address> {
  const { NetworkSettings } = await container.inspect();
  const host = NetworkSettings.Networks[network]?.IPAddress ?? '';
  return (port) => ({ host, port });
}

function publishedAddresses(host: string, ports: BoundPorts): (port: number) => Address {
  return (port) => ({ host, port: ports.getBinding(port) });
}

/** Resolves once Toxiproxy answers. Rejects if something else does, if the container ends, or if it is late. */
async function untilReady(container: Dockerode.Container, image: string, url: string): Promise<void> {
  const stillRuns = async (): Promise<void> => {
    const { State } = await container.inspect();
    if (!State.Running) throw new Error('it ended at once');
  };
  try {
    await toxiproxyVersion(url, READY_WITHIN_MS, stillRuns);
  } catch (error) {
    if (error instanceof RunLostError) throw error;
    throw unusable(image, `${(error as Error).message}${await lastLines(container)}`);
  }
}

function unusable(image: string, problem: string): TestbedUnavailableError {
  return new TestbedUnavailableError(
    `the image ${image} is no Toxiproxy that works: ${problem}`,
    'name an image of Toxiproxy 2.12 in DISTRILOCK_TOXIPROXY_IMAGE',
  );
}
