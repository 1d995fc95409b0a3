import type { LockCommand, LockNode, LockReply } from '../../../../src/lock-node.ts';
import { isReplyError } from '../../../../src/reply-error.ts';
import type { HistoryEvent } from '../../../history/event.ts';
import { AttemptStarts } from '../../attempt-starts.ts';
import { valueOfCommand } from '../../command-value.ts';

/** What a script's nodes need of the process that they run in. */
export interface CommandRecorder {
  readonly client: string;
  stampUs(): number;
  nextCommand(): number;
  record(event: HistoryEvent): void;
  /** Told that a command was answered, if only by an error. */
  noteAnswer(): void;
}

/** Notices where the attempts of one script begin, and which acquire they belong to. */
export class AttemptRecorder {
  operation = 0;
  private readonly recorder: CommandRecorder;
  private readonly attempts = new AttemptStarts();

  constructor(recorder: CommandRecorder) {
    this.recorder = recorder;
  }

  /** Called with each command before it is sent. */
  note(command: LockCommand): void {
    if (!this.attempts.isBegunBy(command)) return;
    const { recorder, operation } = this;
    recorder.record({
      type: 'attempt-started',
      timeUs: recorder.stampUs(),
      client: recorder.client,
      operation,
      value: command.value,
    });
  }
}

/** A node whose commands and replies are recorded as this client sees them. */
export class RecordingNode implements LockNode {
  readonly id: string;
  private readonly node: LockNode;
  private readonly attempts: AttemptRecorder;
  private readonly recorder: CommandRecorder;

  constructor(id: string, node: LockNode, attempts: AttemptRecorder, recorder: CommandRecorder) {
    this.id = id;
    this.node = node;
    this.attempts = attempts;
    this.recorder = recorder;
  }

  execute(command: LockCommand, settle: (reply: LockReply) => void): void {
    const { recorder, id } = this;
    const { client } = recorder;
    this.attempts.note(command);
    const number = recorder.nextCommand();
    recorder.record({
      type: 'command-sent',
      timeUs: recorder.stampUs(),
      command: number,
      client,
      node: id,
      kind: command.kind,
      key: command.key,
      value: valueOfCommand(command),
    });
    this.node.execute(command, (reply) => {
      const error = errorIn(reply);
      const receive = (): void => {
        recorder.record({
          type: 'reply-received',
          timeUs: recorder.stampUs(),
          command: number,
          client,
          node: id,
          reply: reply.kind,
          ...(error !== null && { error }),
          ...(reply.kind === 'failed' && !reply.sent && { sent: false as const }),
        });
        recorder.noteAnswer();
        settle(reply);
      };
      // A node that is down fails at once: a script which tries again at once would never let its process hear of anything else.
      if (reply.kind === 'failed') setImmediate(receive);
      else receive();
    });
  }
}

/** The error with which the server answered, in its own words; null if it did not: then the connection broke, or never was. */
function errorIn(reply: LockReply): string | null {
  if (reply.kind !== 'failed' || !reply.sent) return null;
  const { cause } = reply.error;
  return isReplyError(cause) ? cause.message : null;
}
