import type { Redis } from 'ioredis';
import type { Client } from './execution.ts';
import { DEFAULTS, Redlock5Base, type Settings as Redlock5Settings } from './redlock-5-base.ts';
import { settingsFrom } from './settings.ts';

export * from './redlock-5-exports.ts';

/** How a Redlock behaves. */
export interface Settings extends Partial<Redlock5Settings> {
  /** The database that locks are in, 0 unless set, whatever the database of the clients is. Clusters have only one. */
  readonly db?: number;
}

/** The API of @sesamecare-oss/redlock 1.4 on top of distrilock: what differs is listed in docs/migrating-from-redlock.md. */
export class Redlock extends Redlock5Base {
  readonly settings: Required<Settings>;
  /** Clients that distrilock does not know, for it has connections to another database in their place. */
  readonly #replaced: readonly Client[];

  /**
   * @param clients one of ioredis for each Redis master; one that uses another database than `settings.db` gets a second connection
   * @throws InvalidOptionError for clients or settings that cannot be used
   */
  constructor(clients: Iterable<Client>, settings: Settings = {}) {
    const list = [...clients];
    const resolved = settingsFrom({ ...DEFAULTS, db: 0 }, settings, 'settings');
    const nodes = list.map((client) => inDatabase(client, resolved.db));
    super(list, nodes, resolved);
    this.settings = resolved;
    this.#replaced = list.filter((client, index) => client !== nodes[index]);
  }

  /** Closes every connection, those of clients that use another database included. */
  override async quit(): Promise<void> {
    const replaced = this.#replaced.map(async (client) => {
      if (client.status === 'ready') await client.quit();
      else client.disconnect();
    });
    await Promise.all([super.quit(), ...replaced]);
  }
}

/** The connections that were made in the place of clients, by the database: Redlocks of one client share them, however many are made. */
const twins = new WeakMap<Redis, Map<number, Redis>>();

/** The client, or a connection like it to that database, which is made when it is first used, and ends with it. */
function inDatabase(client: Client, db: number): Client {
  // What is no client of ioredis is refused later, together with all others.
  if (client.isCluster || typeof (client as Partial<Redis>).duplicate !== 'function') return client;
  const single = client as Redis;
  const { options } = single as Partial<Redis>;
  if (options === undefined || (options.db ?? 0) === db) return client;
  const byDatabase = twins.get(single) ?? new Map<number, Redis>();
  twins.set(single, byDatabase);
  const former = byDatabase.get(db);
  if (former !== undefined && former.status !== 'end') return former;
  const twin = single.duplicate({ db, lazyConnect: true });
  byDatabase.set(db, twin);
  single.once('end', () => {
    twin.disconnect();
  });
  return twin;
}
