// Hands bytes on to a port of this machine, and what comes back a while later.
// Usage: node delay-proxy-main.mjs PORT DELAY_MS. Tells its parent the port that it listens on.
import { connect, createServer } from 'node:net';
import { setTimeout } from 'node:timers';

const [port, delayMs] = process.argv.slice(2).map(Number);

const listener = createServer({ noDelay: true }, (downstream) => {
  const upstream = connect({ port, host: '127.0.0.1', noDelay: true });
  downstream.pipe(upstream);
  // Timers of one length fire in the order in which they were set, so that bytes stay in order.
  upstream.on('data', (bytes) => setTimeout(() => downstream.writable && downstream.write(bytes), delayMs));
  for (const [one, other] of [
    [upstream, downstream],
    [downstream, upstream],
  ]) {
    one.on('close', () => other.destroy());
    one.on('error', () => other.destroy());
  }
});
listener.listen(0, '127.0.0.1', () => process.send(listener.address().port));
process.on('disconnect', () => process.exit(0));
