import type { Fault } from '../scenario/fault-schema.ts';
import { formatMs, formatRange } from '../text/duration-text.ts';

/** One line for people on what a fault does to these clients and nodes. */
export function describeFault(fault: Fault, clients: readonly string[], nodes: readonly string[]): string {
  const who = clients.join(', ') || 'nobody';
  const where = nodes.join(', ') || 'no node';
  switch (fault.fault) {
    case 'partition':
      return `${messages(fault.direction)} between ${who} and ${where} are lost`;
    case 'partition-shape':
      return `partition: ${fault.shape}`;
    case 'loss':
      return `${fault.count === undefined ? '' : `${fault.count} `}${fault.command === undefined ? '' : `${fault.command} `}${messages(fault.direction)} between ${who} and ${where} are lost${fault.probability < 1 ? ` with probability ${fault.probability}` : ''}`;
    case 'latency':
      return `${messages(fault.direction)} between ${who} and ${where} take ${formatRange(fault.delay)} longer`;
    case 'bandwidth':
      return `${messages(fault.direction)} between ${who} and ${where} pass at ${fault.bytesPerSecond} bytes/s`;
    case 'reset':
      return `connections between ${who} and ${where} are reset`;
    case 'slow-close':
      return `connections between ${who} and ${where} close ${formatMs(fault.delay)} late`;
    case 'limit-data':
      return `connections between ${who} and ${where} close after ${fault.bytes} bytes`;
    case 'slicer':
      return `${messages(fault.direction)} between ${who} and ${where} travel in slices of ${fault.bytes} bytes`;
    case 'clock-jump':
      return `the clock of ${where} jumps by ${formatMs(fault.by)}`;
    case 'clock-drift':
      return `the clock of ${where} runs at ${fault.rate} times the true rate`;
    case 'clock-strobe':
      return `the clock of ${where} jumps by ${formatMs(fault.by)} and back, every ${formatMs(fault.every)}`;
    case 'client-clock-jump':
      return `the wall clock of ${who} jumps by ${formatMs(fault.by)}`;
    case 'client-clock-drift':
      return `the clocks of ${who} run at ${fault.rate} times the true rate`;
    case 'client-pause':
      return `${who} is paused`;
    case 'server-pause':
      return `${where} is paused`;
    case 'crash':
      return `${where} crashes (${fault.how})`;
    case 'eviction':
      return `memory pressure on ${where}`;
    case 'flush':
      return `${where} is flushed`;
    case 'promotion':
      return `the primary of ${where} dies and its replica is promoted`;
  }
}

function messages(direction: 'both' | 'request' | 'reply'): string {
  if (direction === 'both') return 'messages';
  return direction === 'request' ? 'requests' : 'replies';
}
