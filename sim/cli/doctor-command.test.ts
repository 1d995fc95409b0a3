import { describe, expect, it } from 'vitest';
import { simulatedTestbed } from '../testbed/simulated/simulated-testbed.ts';
import type { Availability } from '../testbed/readiness.ts';
import type { Testbed } from '../testbed/testbed.ts';
import { TestbedUnavailableError } from '../testbed/testbed-error.ts';
import { CANNOT_RUN, fakeTestbed } from './fake-testbed.ts';
import { hostWith, testbedsOf } from './console/host-testing.ts';
import { runCommandLine } from './program.ts';

const PARTIAL: Availability = {
  canRun: true,
  parts: [
    { name: 'redis-server', version: '7.0.15', place: '/usr/bin/redis-server' },
    { name: 'libfaketime', problem: 'there is none', remedy: 'apt-get install libfaketime', blocks: 'some' },
  ],
};
const LAZY: Availability = {
  canRun: true,
  parts: [
    { name: 'image', problem: 'it is not here: a run has to pull it', remedy: 'pull it', blocks: 'unless-pulled' },
  ],
};

async function doctor(
  words: readonly string[],
  ...availabilities: Availability[]
): Promise<{ code: number; stdout: string }> {
  const names = ['processes', 'containers'];
  const fakes = availabilities.map((availability, place) => fakeTestbed({ name: names[place] ?? '', availability }));
  const { host, printed } = hostWith(simulatedTestbed, { testbeds: testbedsOf(simulatedTestbed, ...fakes) });
  const code = await runCommandLine(['doctor', ...words], host);
  expect(printed.stderr).toBe('');
  return { code, stdout: printed.stdout };
}

describe('doctor', () => {
  it('says what can run, with versions, what is missing, and what would put it right', async () => {
    const { code, stdout } = await doctor([], PARTIAL, CANNOT_RUN);
    expect(code).toBe(3);
    expect(stdout).toBe(`simulated: can run here
  node  ${process.versions.node}  ${process.execPath}

processes: can run here, but not every scenario
  redis-server  7.0.15  /usr/bin/redis-server
  libfaketime: there is none (some scenarios need it)
    Remedy: apt-get install libfaketime

containers: cannot run here
  fake: there is no fake
    Remedy: install one
`);
  });

  it('does not promise what hangs on a pull', async () => {
    const { stdout } = await doctor([], LAZY);
    expect(stdout).toContain(`
processes: may be able to run here: it needs a pull
  image: it is not here: a run has to pull it
    Remedy: pull it
`);
  });

  it('prints JSON', async () => {
    const { code, stdout } = await doctor(['--json'], CANNOT_RUN);
    expect(code).toBe(3);
    const node = { name: 'node', version: process.versions.node, place: process.execPath };
    expect(JSON.parse(stdout)).toEqual({
      backends: [
        { name: 'simulated', canRun: true, parts: [node] },
        { name: 'processes', ...CANNOT_RUN },
      ],
    });
  });

  it.each([
    ['everything is here', [] as Availability[], 0],
    ['something has to be pulled first', [LAZY], 3],
    ['some scenarios cannot run', [PARTIAL], 3],
    ['a backend cannot run', [CANNOT_RUN], 3],
  ])('if %s ends with the exit code of that', async (_what, availabilities, code) => {
    expect((await doctor([], ...availabilities)).code).toBe(code);
  });

  it('looks at the redis-servers that are named, and says which is none', async () => {
    const load = ({ redisServer }: { readonly redisServer: string | null }): Promise<Testbed> =>
      redisServer === '/bin/false'
        ? Promise.reject(new TestbedUnavailableError('/bin/false ended at once', 'name a redis-server'))
        : Promise.resolve(fakeTestbed({ name: `processes-${redisServer ?? 'any'}` }));
    const { host, printed } = hostWith(simulatedTestbed, { testbeds: { processes: load } });
    const words = ['doctor', '--redis-server', '6.2', '--redis-server', '/bin/false'];
    expect(await runCommandLine(words, host)).toBe(3);
    expect(printed.stdout).toBe(`processes-6.2: can run here
  fake  1.2.3  /bin/fake

processes: cannot run here
  redis-server: /bin/false ended at once
    Remedy: name a redis-server
`);
  });

  it('does not wait for what hangs once it is interrupted', async () => {
    const hangs = fakeTestbed({ availability: new Promise<Availability>(() => undefined) });
    const controller = new AbortController();
    const { host, printed } = hostWith(hangs, { signal: controller.signal });
    const code = runCommandLine(['doctor'], host);
    controller.abort('SIGTERM');
    expect(await code).toBe(143);
    expect(printed).toEqual({ stdout: '', stderr: 'Interrupted by SIGTERM\n' });
  });
});
