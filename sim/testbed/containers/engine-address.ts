import type Dockerode from 'dockerode';
import type { DockerAddress } from './container-remains.mjs';

/** Where the daemon is, for a process that has to find it by itself. */
export function addressOfEngine({ modem }: Dockerode): DockerAddress {
  const { socketPath, host, port, protocol, ca, cert, key } = modem as {
    readonly [Name in keyof DockerAddress]: DockerAddress[Name] | Buffer;
  } as DockerAddress;
  return {
    socketPath,
    host,
    port,
    protocol,
    ca: ca?.toString(),
    cert: cert?.toString(),
    key: key?.toString(),
  };
}
