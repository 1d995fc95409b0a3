import { debugArguments, whyNotFrozen, writeFrozenClock } from '../../../test/frozen-redis.ts';
import type { Address } from '../real/address.ts';
import type { FrozenServer } from '../real/real-lock-node.conformance.ts';
import { TestFleet } from './container-testing.ts';

/** The server of a node in a container, behind Toxiproxy, whose wall clock stands still until a test moves it. */
export class FrozenContainer implements FrozenServer {
  readonly address: Address;
  private readonly test: TestFleet;

  private constructor(test: TestFleet) {
    this.test = test;
    this.address = test.address('n1');
  }

  /** Starts the image that all containers of nodes are of, at `nowMs` since the epoch. */
  static async start(nowMs: number): Promise<FrozenContainer> {
    const test = await TestFleet.start({ movesClocks: true, nodeArguments: debugArguments(await versionInside()) });
    const frozen = new FrozenContainer(test);
    frozen.setClock(nowMs);
    const problem = await whyNotFrozen(test.client('n1'), nowMs);
    if (problem === null) return frozen;
    await test.close();
    throw new Error(`the server in the container does not follow its clock file: ${problem}`);
  }

  setClock(nowMs: number): void {
    writeFrozenClock(this.test.clockFile('n1'), nowMs);
  }

  async stop(): Promise<void> {
    await this.test.close();
  }
}

/** The version that the server of the image reports of itself; which arguments it takes depends on it. */
async function versionInside(): Promise<string> {
  const test = await TestFleet.start();
  try {
    return /^redis_version:(\S+)/m.exec(await test.client('n1').info('server'))?.[1] ?? '';
  } finally {
    await test.close();
  }
}
