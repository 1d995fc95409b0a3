/** The save points of Redis' default settings (redis.conf, `save 3600 1 300 100 60 10000`): after so long with so many writes a snapshot is taken. */
export const DEFAULT_SAVE_POINTS = [
  { afterSeconds: 3600, writes: 1 },
  { afterSeconds: 300, writes: 100 },
  { afterSeconds: 60, writes: 10_000 },
] as const;
