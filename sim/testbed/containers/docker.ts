import Dockerode from 'dockerode';
import { type ContainerRuntimeClient, getContainerRuntimeClient } from 'testcontainers';
import { within } from '../real/deadline.ts';
import { TestbedUnavailableError } from '../testbed-error.ts';
import { DockerCalls } from './docker-calls.ts';
import { addressOfEngine } from './engine-address.ts';

/** A Docker daemon, as testcontainers found it. */
export interface Docker {
  readonly client: ContainerRuntimeClient;
  /** The same daemon for what testcontainers has no call for. */
  readonly engine: Dockerode;
  readonly calls: DockerCalls;
}

/** A daemon that is asked nothing but whether it is there answers at once. */
const PING_WITHIN_MS = 10_000;
const START_DOCKER =
  'start Docker, or name its socket in DOCKER_HOST; on a Debian machine without it, as root: eval "$(.ci/start-docker)"';

/** Finds the Docker daemon. Rejects with a TestbedUnavailableError where none answers (any more), or where it runs no Linux containers. */
export async function connectDocker(): Promise<Docker> {
  let docker: Docker;
  const host = process.env['DOCKER_HOST'] ?? '';
  try {
    await refuseIfHung(host);
    const client = await getContainerRuntimeClient();
    const engine = client.container.dockerode;
    if (host !== '' && isElsewhere(engine, host)) {
      throw new Error('testcontainers has found another one instead');
    }
    docker = { client, engine, calls: DockerCalls.of(engine, host === '' ? placeOf(engine) : host) };
    // testcontainers keeps what it has found once, and the daemon may be gone since.
    await ping(engine, docker.calls);
  } catch (error) {
    if (error instanceof TestbedUnavailableError) throw error;
    throw new TestbedUnavailableError(
      host === ''
        ? 'no Docker daemon answers at /var/run/docker.sock, or wherever else one usually listens'
        : `no Docker daemon answers at DOCKER_HOST=${host}`,
      START_DOCKER,
      { cause: error },
    );
  }
  const { operatingSystemType } = docker.client.info.containerRuntime;
  if (operatingSystemType !== 'linux') {
    throw new TestbedUnavailableError(
      `the Docker daemon runs containers of ${operatingSystemType}`,
      'switch it to Linux containers',
    );
  }
  return docker;
}

/** testcontainers would wait for ever for one that takes connections and does not answer. Where there is none, it looks elsewhere. */
async function refuseIfHung(host: string): Promise<void> {
  let usual: Dockerode;
  try {
    usual = new Dockerode();
  } catch {
    return;
  }
  const place = host === '' ? placeOf(usual) : host;
  await ping(usual, DockerCalls.of(usual, place)).catch((error: unknown) => {
    if (error instanceof TestbedUnavailableError) throw error;
  });
}

async function ping(engine: Dockerode, calls: DockerCalls): Promise<void> {
  calls.reopen();
  await within(PING_WITHIN_MS, engine.ping(), () => {
    calls.abandon();
    return new TestbedUnavailableError(
      `the Docker daemon does not answer: it accepts connections, and hangs (${calls.place})`,
      'start it again; what runs left behind goes with the next run',
    );
  });
}

function placeOf(engine: Dockerode): string {
  const { socketPath, host, port } = addressOfEngine(engine);
  return typeof socketPath === 'string' ? socketPath : `${host ?? 'the usual place'}:${port ?? ''}`;
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
