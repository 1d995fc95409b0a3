/** The process in which contenders run: measures what its command line says, and tells its parent. */
import { Redis } from 'ioredis';
import type { Condition } from './columns.ts';
import { CONTENDERS } from './contenders.ts';
import { measureCost } from './cost.ts';
import type { MeasurementMessage, MeasurementRequest } from './measurement.ts';
import { type Entrant, measureSpeed } from './speed.ts';

function tell(message: MeasurementMessage): Promise<void> {
  return new Promise((resolve) => {
    process.send?.(message, () => resolve());
  });
}

async function enter(id: string, ports: readonly number[], condition: Condition): Promise<Entrant> {
  const contender = CONTENDERS.find((each) => each.id === id);
  if (contender === undefined) throw new Error(`there is no contender ${id}`);
  const clients = ports.map((port) => new Redis(port, '127.0.0.1'));
  await Promise.all(clients.map((client) => client.ping()));
  return { id, condition, clients, locks: await contender.make(clients) };
}

// Ctrl-C, or a parent that died, ends this process, too.
process.on('disconnect', () => process.exit(1));

const request = JSON.parse(process.argv[2] ?? '') as MeasurementRequest;
const entrants: Entrant[] = [];
for (const id of request.contenders) {
  entrants.push(await enter(id, request.ports, request.column.condition));
  if (request.healthyPorts !== null) entrants.push(await enter(id, request.healthyPorts, 'healthy'));
}
await new Promise<void>((resolve) => {
  process.send?.('ready');
  process.once('message', () => resolve());
});
if (request.what === 'cost') await tell({ kind: 'cost', outcomes: await measureCost(entrants, request) });
else await tell({ kind: 'speed', outcomes: await measureSpeed(entrants, request) });
process.exit(0);
