import type { CommandExecuted, CommandSent } from '../../history/event.ts';

/** A command as a server was seen to run it: whose it was, only the client knows. */
export type Execution = Omit<CommandExecuted, 'type' | 'command' | 'client'>;

/**
 * Brings together what clients say they sent and what servers were seen to run. A value is fresh for every attempt, so kind, key and value
 * tell a command from all others, but for a release or an extension that is sent again: those are matched in order.
 */
export class CommandMatcher {
  private readonly emit: (event: CommandExecuted) => void;
  private readonly sent = new Map<string, CommandSent[]>();
  private readonly executed = new Map<string, Execution[]>();

  constructor(emit: (event: CommandExecuted) => void) {
    this.emit = emit;
  }

  noteSent(event: CommandSent): void {
    const waiting = this.executed.get(commandName(event))?.shift();
    if (waiting === undefined) push(this.sent, commandName(event), event);
    else this.match(event, waiting);
  }

  noteExecuted(execution: Execution): void {
    const command = this.sent.get(commandName(execution))?.shift();
    if (command === undefined) push(this.executed, commandName(execution), execution);
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

function push<Item>(map: Map<string, Item[]>, name: string, item: Item): void {
  const items = map.get(name);
  if (items === undefined) map.set(name, [item]);
  else items.push(item);
}
