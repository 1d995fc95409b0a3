import picocolors from 'picocolors';
import type { Host, Output } from './host.ts';

export type Colors = ReturnType<typeof picocolors.createColors>;

/** Colours for a terminal; NO_COLOR takes them away (https://no-color.org), FORCE_COLOR gives them to files and pipes as well. */
export function colorsFor(output: Output, environment: Host['environment']): Colors {
  return picocolors.createColors(wantsColor(output, environment));
}

function wantsColor(output: Output, { NO_COLOR, FORCE_COLOR, TERM }: Host['environment']): boolean {
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '') return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return output.isTTY && TERM !== 'dumb';
}
