import { InvalidOptionError } from '../index.ts';
import type { Client } from './execution.ts';
import { DEFAULTS, Redlock5Base, type Settings } from './redlock-5-base.ts';
import { settingsFrom } from './settings.ts';

export type { CommonSettings } from './settings.ts';
export * from './redlock-5-exports.ts';
export type { Settings } from './redlock-5-base.ts';

/** The API of redlock 5 (5.0.0-beta.2) on top of distrilock: what differs is listed in docs/migrating-from-redlock.md. */
export class Redlock extends Redlock5Base {
  readonly settings: Settings;

  /**
   * @param clients one of ioredis for each Redis master
   * @param scripts not supported: the parameter is there to say so
   * @throws InvalidOptionError for clients, settings or scripts that cannot be used
   */
  constructor(clients: Iterable<Client>, settings: Partial<Settings> = {}, scripts: object = {}) {
    const [script] = Object.entries(scripts).find(([, value]) => value !== undefined) ?? [];
    if (script !== undefined) {
      throw new InvalidOptionError(
        `scripts.${script}`,
        'cannot be used: distrilock has scripts of its own; what they lack can be asked for in its issues',
      );
    }
    const list = [...clients];
    const resolved = settingsFrom(DEFAULTS, settings, 'settings');
    super(list, list, resolved);
    this.settings = resolved;
  }
}
