import { renameSync, writeFileSync } from 'node:fs';
import { inTemporaryFolder } from '../../temporary-folder.ts';
import type { ClockSkew } from './server-fleet.ts';

/**
 * Sets the clock of the processes that follow `clockFile`. libfaketime counts a rate from the moment at which the process started,
 * so the offset makes up for what the rate would have added until now.
 */
export function writeSkew(clockFile: string, skew: ClockSkew, startedMs: number): void {
  const runMs = Date.now() - startedMs;
  const offsetSeconds = (skew.offsetMs - runMs * (skew.rate - 1)) / 1000;
  const sign = offsetSeconds < 0 ? '-' : '+';
  // The true rate too: where no rate is given, the one before goes on.
  replaceFile(clockFile, `${sign}${Math.abs(offsetSeconds).toFixed(6)} x${skew.rate}\n`);
}

/** Renamed into place, so that nobody reads half of it. */
function replaceFile(path: string, text: string): void {
  inTemporaryFolder(() => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  });
}
