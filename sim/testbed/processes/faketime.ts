import { existsSync } from 'node:fs';
import { join } from 'node:path';

const LIBRARY_FOLDERS = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
  '/usr/local/lib',
];

/** What lets the clocks of nodes be moved. */
export const FAKETIME_REMEDY =
  'apt-get install libfaketime libtcmalloc-minimal4, or take a redis-server that brings its own allocator';

function findLibrary(names: readonly string[]): string | null {
  for (const folder of LIBRARY_FOLDERS) {
    for (const name of names) if (existsSync(join(folder, name))) return join(folder, name);
  }
  return null;
}

/** The library that gives a process another wall clock; null where it is not installed. */
export function libfaketime(): string | null {
  return findLibrary(['faketime/libfaketimeMT.so.1', 'libfaketimeMT.so.1']);
}

/**
 * What to preload, in the order in which to try it. A server with Debian's allocator hangs under libfaketime unless it is given another
 * one; those that bring their own allocator need none. Empty without libfaketime.
 */
export function faketimePreloads(): readonly string[] {
  const faketime = libfaketime();
  if (faketime === null) return [];
  const allocator = findLibrary(['libtcmalloc_minimal.so.4']);
  return allocator === null ? [faketime] : [`${allocator}:${faketime}`, faketime];
}

/** The environment of a process whose wall clock follows `clockFile`, and whose monotonic clock is left alone. */
export function faketimeEnvironment(preload: string, clockFile: string): Readonly<Record<string, string>> {
  return {
    LD_PRELOAD: preload,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_TIMESTAMP_FILE: clockFile,
    DONT_FAKE_MONOTONIC: '1',
  };
}
