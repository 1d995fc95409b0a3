import type Dockerode from 'dockerode';
import { type ContainerRuntimeClient, getContainerRuntimeClient } from 'testcontainers';
import { TestbedUnavailableError } from '../testbed-error.ts';
import { addressOfEngine } from '../real/engine-address.ts';

/** A Docker daemon, as testcontainers found it. */
export interface Docker {
  readonly client: ContainerRuntimeClient;
  /** The same daemon for what testcontainers has no call for. */
  readonly engine: Dockerode;
}

const START_DOCKER =
  'start Docker, or name its socket in DOCKER_HOST; on a Debian machine without it, as root: eval "$(.ci/start-docker)"';

/** Finds the Docker daemon. Rejects with a TestbedUnavailableError where none answers, or where it runs no Linux containers. */
export async function connectDocker(): Promise<Docker> {
  let client: ContainerRuntimeClient;
  const host = process.env['DOCKER_HOST'] ?? '';
  try {
    client = await getContainerRuntimeClient();
    if (host !== '' && isElsewhere(client.container.dockerode, host)) {
      throw new Error('testcontainers has found another one instead');
    }
  } catch (error) {
    throw new TestbedUnavailableError(
      host === ''
        ? 'no Docker daemon answers at /var/run/docker.sock, or wherever else one usually listens'
        : `no Docker daemon answers at DOCKER_HOST=${host}`,
      START_DOCKER,
      { cause: error },
    );
  }
  const { operatingSystemType } = client.info.containerRuntime;
  if (operatingSystemType !== 'linux') {
    throw new TestbedUnavailableError(
      `the Docker daemon runs containers of ${operatingSystemType}`,
      'switch it to Linux containers',
    );
  }
  return { client, engine: client.container.dockerode };
}

/** Whether the daemon is at a usual socket, which testcontainers goes on to look at where the named one does not answer. */
function isElsewhere(engine: Dockerode, host: string): boolean {
  const { socketPath } = addressOfEngine(engine);
  if (socketPath === undefined) return false;
  if (!URL.canParse(host)) return true;
  const { hostname, pathname } = new URL(host);
  return hostname !== '' || pathname !== socketPath;
}

/** The status code of Docker's answer, if it was one that told of an error. */
export function statusOf(error: unknown): number | null {
  const status = (error as { readonly statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : null;
}
