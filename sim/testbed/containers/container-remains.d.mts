import type Dockerode from 'dockerode';

/** Where a Docker daemon is found: what dockerode takes. */
export interface DockerAddress {
  readonly socketPath?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | string | undefined;
  readonly protocol?: 'http' | 'https' | undefined;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Removes the containers (with their volumes) and the networks that carry all of the labels; resolves once they are gone, to how many there were. */
export function removeLabelled(engine: Dockerode, labels: readonly string[]): Promise<number>;

/** The same for a run that was killed: what it had asked Docker for may still be on its way. */
export function removeRemains(remains: {
  readonly docker: DockerAddress;
  readonly labels: readonly string[];
}): Promise<void>;
