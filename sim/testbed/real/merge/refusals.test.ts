import { describe, expect, it } from 'vitest';
import type { HistoryEvent, ReplyReceived } from '../../../history/event.ts';
import { HistoryLog } from '../../../history/history-log.ts';
import { LinkDisturbances } from '../links/link-disturbances.ts';
import { mergeHistory } from './real-history.ts';
import { findUnexplainedRefusal } from './refusals.ts';

const NOREPLICAS = 'NOREPLICAS Not enough good replicas to write.';
const OOM = "OOM command not allowed when used memory > 'maxmemory'.";

function logOf(events: readonly HistoryEvent[]): HistoryLog {
  const log = new HistoryLog();
  for (const event of events) log.record(event);
  return log;
}

/** A command to n1 that got this answer. */
function answered(command: number, answer: Pick<ReplyReceived, 'reply' | 'error'>): HistoryEvent[] {
  const names = { command, client: 'A', node: 'n1' };
  return [
    { type: 'command-sent', timeUs: 10, ...names, kind: 'acquire', key: 'lock:r', value: `v${command}` },
    { type: 'reply-received', timeUs: 20, ...names, ...answer },
  ];
}

function refused(error: string, command = 1): HistoryEvent[] {
  return answered(command, { reply: 'failed', error });
}

function began(kind: string, targets: readonly string[]): HistoryEvent {
  return { type: 'fault-started', timeUs: 30, fault: 1, kind, targets, description: '' };
}

function problemOf(client: HistoryEvent[], run: HistoryEvent[] = [], writeErrors = new Map<number, string>()): string {
  const seen = { run: logOf(run), clients: [logOf(client)], disturbances: new LinkDisturbances() };
  return findUnexplainedRefusal(mergeHistory({ ...seen, writeDecisions: new Map(), writeErrors })) ?? 'none';
}

describe('a refusal that nothing explains', () => {
  it('is told in the words of the server, with the node, what it refused and the remedy', () => {
    expect(problemOf([...refused(NOREPLICAS), ...refused(OOM, 3), ...refused(OOM, 5)])).toBe(
      `n1 refused command 1 of A (acquire lock:r), and 2 more, with the error: ${NOREPLICAS} (the server lacks the replicas that its configuration asks for). No fault of the scenario explains it: put the server right, or name another one`,
    );
  });

  it('is also that of a write', () => {
    const write: HistoryEvent = {
      type: 'write-sent',
      timeUs: 10,
      client: 'B',
      write: 4,
      lease: 1,
      resource: 'r',
      token: null,
    };
    const problem = problemOf([write], [began('eviction', ['n1'])], new Map([[4, OOM]]));
    expect(problem).toMatch(/^resource refused write 4 of B \(r\), with the error: OOM/);
  });

  it.each([
    ['without a fault', OOM, []],
    ['by a node that the fault left alone', OOM, [began('eviction', ['n2'])]],
    ['for a reason that the fault does not give', OOM, [began('promotion', ['n1'])]],
    ['for a reason that no fault gives', NOREPLICAS, [began('eviction', ['n1']), began('promotion', ['n1'])]],
    ['as a replica, though none was promoted', 'READONLY You cannot write', [began('crash', ['n1'])]],
    ['as it cannot save', 'MISCONF Redis is configured to save', [began('power-loss', ['n1'])]],
    ['in words that begin like those of an object', 'constructor', [began('eviction', ['n1'])]],
  ])('is one %s', (_what, error, run) => {
    expect(problemOf(refused(error), run)).toContain(`with the error: ${error}`);
  });
});

describe('no unexplained refusal', () => {
  it.each([
    ['out of memory under memory pressure', OOM, 'eviction'],
    ['reading its data after a crash', 'LOADING Redis is loading the dataset in memory', 'crash'],
    ['reading its data as it was promoted', 'LOADING Redis is loading the dataset in memory', 'promotion'],
    ['still a replica as it is promoted', "READONLY You can't write against a read only replica.", 'promotion'],
    ['a replica whose primary was killed', 'MASTERDOWN Link with MASTER is down', 'promotion'],
  ])('comes of a server that is %s', (_what, error, kind) => {
    expect(problemOf(refused(error), [began(kind, ['n1'])])).toBe('none');
  });

  it('comes of a broken connection, or of a vote against the client', () => {
    expect(problemOf([...answered(1, { reply: 'failed' }), ...answered(3, { reply: 'held' })])).toBe('none');
  });
});
