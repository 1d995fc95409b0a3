import { readServer, type ServerFacts } from '../real/servers/server-facts.ts';
import { serverRefusal } from '../real/servers/server-refusal.ts';
import { TestbedUnavailableError } from '../testbed-error.ts';
import type { Program } from './programs.ts';

/**
 * Asks the server that `program` started as the process `pid` who it is. Rejects with a TestbedUnavailableError if it cannot be watched, wants a password,
 * speaks another protocol, or is another process: then it is told to end as well.
 */
export async function askServer(port: number, pid: number, { path, remedy }: Program): Promise<ServerFacts> {
  try {
    return await readServer({ host: '127.0.0.1', port }, async ({ processId }, client) => {
      if (processId === pid) return;
      await client.shutdown('NOSAVE').catch(() => undefined);
      throw new TestbedUnavailableError(
        `${path} runs the server as another process (${processId}) than the one that was started (${pid}), which could be neither paused nor killed`,
        'let it run in the foreground; a script begins its last line with exec',
      );
    });
  } catch (error) {
    if (error instanceof TestbedUnavailableError) throw error;
    const toItself = 'the servers of a run listen on 127.0.0.1 alone, and end with it';
    throw serverRefusal(`the server that ${path} starts`, error as Error, {
      password: `take requirepass and users out of its settings: ${toItself}`,
      tls: `take tls-port out of its settings: ${toItself}`,
      tooOld: `${remedy}; it must be Redis 6.2 or later, or Valkey`,
      strange: `let it listen without TLS on the port that it is given, or ${remedy}`,
    });
  }
}
