import type { FromClient, ToClient } from './client-messages.ts';
import { ProcessClient } from './process-client.ts';

/** The program of a client process: it is told what to do over its channel, and ends when the channel closes. */
function tell(message: FromClient): void {
  // Whoever started this process may be gone; then so is everybody who would want to know.
  process.send?.(message, undefined, undefined, () => undefined);
}

let client: ProcessClient | null = null;

process.on('message', (message: ToClient) => {
  if (message.type === 'configure') {
    client = new ProcessClient(message.configuration, tell);
    client.connect().then(
      () => {
        tell({ type: 'ready' });
      },
      (error: unknown) => {
        throw error;
      },
    );
    return;
  }
  client?.handle(message);
});
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole group of processes; the run ends its clients itself.
process.on('SIGINT', () => undefined);
