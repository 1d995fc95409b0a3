import type { Testbed } from '../../testbed/testbed.ts';
import type { Host } from './host.ts';

/** What a test may want otherwise of a host. */
export type HostChanges = Partial<Host> & { readonly isTTY?: boolean; readonly columns?: number };

/** Testbeds as a host has them, each under its name up to the first dash. */
export function testbedsOf(...testbeds: readonly Testbed[]): Host['testbeds'] {
  return Object.fromEntries(
    testbeds.map((testbed) => [testbed.name.split('-')[0] ?? '', () => Promise.resolve(testbed)]),
  );
}

/** A host that runs scenarios on this testbed, and keeps what is printed. */
export function hostWith(
  testbed: Testbed,
  changes: HostChanges = {},
): { readonly host: Host; readonly printed: { stdout: string; stderr: string } } {
  const { isTTY = false, columns, ...others } = changes;
  const printed = { stdout: '', stderr: '' };
  const outputTo = (name: 'stdout' | 'stderr'): Host['stdout'] => ({
    write: (text) => (printed[name] += text),
    isTTY,
    columns,
  });
  const host: Host = {
    stdout: outputTo('stdout'),
    stderr: outputTo('stderr'),
    environment: {},
    signal: new AbortController().signal,
    setLastWords: () => undefined,
    testbeds: testbedsOf(testbed),
    ...others,
  };
  return { host, printed };
}
