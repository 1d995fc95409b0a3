import type { CommandExecuted, CommandSent } from '../../../history/event.ts';
import { pushTo } from '../multimap.ts';

/** A command as a server was seen to run it: whose it was, only the client knows. */
export type Execution = Omit<CommandExecuted, 'type' | 'command' | 'client'>;

/**
 * Brings together, while the run goes on, what clients say they sent and what servers were seen to run, whichever is heard of first. A value
 * is fresh for every attempt, so kind, key and value tell a command from all others, but for a release or an extension that
 * is sent again: those are matched in order. Once all is known, the history is matched anew.
 */
export class CommandMatcher {
  private readonly emit: (event: CommandExecuted) => void;
  private readonly sent = new Map<string, CommandSent[]>();
  private readonly executed = new Map<string, Execution[]>();

  constructor(emit: (event: CommandExecuted) => void) {
    this.emit = emit;
  }

  noteSent(event: CommandSent): void {
    const waiting = this.executed.get(commandName(event)) ?? [];
    // What ran before this was sent is another one of the same kind.
    const place = waiting.findIndex(({ timeUs }) => timeUs >= event.timeUs);
    const [execution] = place < 0 ? [] : waiting.splice(place, 1);
    if (execution === undefined) pushTo(this.sent, commandName(event), event);
    else this.match(event, execution);
  }

  noteExecuted(execution: Execution): void {
    const command = this.sent.get(commandName(execution))?.shift();
    if (command === undefined) pushTo(this.executed, commandName(execution), execution);
    else this.match(command, execution);
  }

  private match(command: CommandSent, execution: Execution): void {
    this.emit({
      type: 'command-executed',
      ...execution,
      timeUs: Math.max(execution.timeUs, command.timeUs),
      command: command.command,
      client: command.client,
    });
  }
}

/** What tells a command from others: a value is fresh for every attempt. */
export function commandName({ node, kind, key, value }: Pick<CommandSent, 'node' | 'kind' | 'key' | 'value'>): string {
  return JSON.stringify([node, kind, key, value]);
}
