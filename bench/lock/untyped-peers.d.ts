/* eslint-disable no-restricted-syntax -- these packages have default exports */

// Packages that come without types, or with such as this module resolution does not find: what the benchmark uses of them.

declare module 'redlock-4' {
  import type { Redis } from 'ioredis';

  interface Lock {
    unlock(): Promise<void>;
  }
  export default class Redlock {
    constructor(clients: readonly Redis[], options: { readonly retryCount: number });
    acquire(resource: string, ttl: number): Promise<Lock>;
  }
}

declare module 'redlock-5' {
  import type { Redis } from 'ioredis';

  interface Lock {
    release(): Promise<unknown>;
  }
  export default class Redlock {
    constructor(clients: readonly Redis[], settings: { readonly retryCount: number });
    acquire(resources: string[], duration: number): Promise<Lock>;
  }
}
