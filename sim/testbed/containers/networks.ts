import type Dockerode from 'dockerode';
import { RunLostError, TestbedUnavailableError } from '../testbed-error.ts';

export interface NetworkOptions {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Whether it leads nowhere but to its containers, and to them from this host. */
  readonly isInternal: boolean;
}

/** Makes a network. Rejects with a TestbedUnavailableError if Docker has no addresses left for one. */
export async function createNetwork(engine: Dockerode, options: NetworkOptions): Promise<Dockerode.Network> {
  const { name, labels, isInternal } = options;
  try {
    return await engine.createNetwork({ Name: name, Driver: 'bridge', Internal: isInternal, Labels: { ...labels } });
  } catch (error) {
    if (error instanceof RunLostError) throw error;
    throw new TestbedUnavailableError(
      `Docker makes no network: ${(error as Error).message}`,
      'remove networks that nobody uses: docker network prune',
      { cause: error },
    );
  }
}
