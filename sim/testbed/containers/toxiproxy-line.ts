import type Dockerode from 'dockerode';
import type { ClientLine } from '../real/servers/server-fleet.ts';
import { createNetwork } from './networks.ts';

export interface ToxiproxyLineOptions {
  readonly engine: Dockerode;
  readonly labels: Readonly<Record<string, string>>;
  readonly networkName: string;
  /** The container of Toxiproxy, which runs. */
  readonly toxiproxy: string;
}

/**
 * A network with Toxiproxy alone on it, so that this host reaches Toxiproxy by an address of its own there; unplugged, Toxiproxy leaves it. Not the
 * server leaves its network: then Toxiproxy would go on to accept connections, and wedge while it dials somebody who is not there.
 */
export class ToxiproxyLine implements ClientLine {
  readonly host: string;
  private readonly options: ToxiproxyLineOptions;
  private readonly network: Dockerode.Network;

  private constructor(options: ToxiproxyLineOptions, network: Dockerode.Network, host: string) {
    this.options = options;
    this.network = network;
    this.host = host;
  }

  static async lay(options: ToxiproxyLineOptions): Promise<ToxiproxyLine> {
    const { engine, labels, networkName, toxiproxy } = options;
    const network = await createNetwork(engine, { name: networkName, labels, isInternal: true });
    await network.connect({ Container: toxiproxy });
    const host = await addressOn(options);
    if (host === null) throw new Error(`Docker did not connect ${toxiproxy} to the network ${networkName}`);
    return new ToxiproxyLine(options, network, host);
  }

  async unplug(): Promise<void> {
    const { networkName, toxiproxy } = this.options;
    await this.network.disconnect({ Container: toxiproxy });
    if ((await addressOn(this.options)) !== null) {
      throw new Error(`Docker did not disconnect ${toxiproxy} from the network ${networkName}`);
    }
  }

  async plug(): Promise<void> {
    const { networkName, toxiproxy } = this.options;
    await this.network.connect({ Container: toxiproxy });
    // Nobody else is on the network, so its first address is free again.
    const host = await addressOn(this.options);
    if (host !== this.host) {
      throw new Error(`Docker gave ${toxiproxy} the address ${host} on the network ${networkName}, not ${this.host}`);
    }
  }
}

/** The address that Toxiproxy has on the network of the line; null if it is not connected. */
async function addressOn({ engine, toxiproxy, networkName }: ToxiproxyLineOptions): Promise<string | null> {
  const { NetworkSettings } = await engine.getContainer(toxiproxy).inspect();
  const address = NetworkSettings.Networks[networkName]?.IPAddress ?? '';
  return address === '' ? null : address;
}
