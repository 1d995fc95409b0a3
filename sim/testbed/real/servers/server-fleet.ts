import type { Address } from '../address.ts';

/** How a server's wall clock differs from that of the host. */
export interface ClockSkew {
  readonly offsetMs: number;
  /** Seconds of its clock in a true second. */
  readonly rate: number;
}

/** A redis-server that a run can do things to. Each call resolves once what it asks for is seen to be so. */
export interface FleetServer {
  readonly name: string;
  /** Where Toxiproxy finds it: `host:port`. The same after a restart. */
  readonly upstream: string;
  /** Starts the server again, on what its disk holds. Resolves once it accepts commands. */
  start(): Promise<void>;
  /** Resolves once the process is gone. */
  stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Moves the wall clock of the running server. Only if its request says `movesClock`. */
  setClock(skew: ClockSkew): Promise<void>;
  /** Cuts from the append-only file what was written in the last `lastMs` milliseconds before the server stopped. Only if the fleet's request says `losesPower`. */
  loseUnsynced(lastMs: number): Promise<void>;
}

/**
 * The line by which all clients reach their routes to one node. While it is unplugged, packets vanish in both directions and nobody is told: what is
 * connected stays half open, and who connects waits.
 */
export interface ClientLine {
  /** Where clients find Toxiproxy by it. The same after it was unplugged. */
  readonly host: string;
  /** Each resolves once what it asks for is seen to be so. */
  unplug(): Promise<void>;
  plug(): Promise<void>;
}

/** A redis-server that a run wants. */
export interface ServerRequest {
  readonly name: string;
  readonly args: readonly string[];
  /** Whether faults move its clock. */
  readonly movesClock: boolean;
}

/** What a run asks of a fleet. */
export interface FleetRequest {
  readonly servers: readonly ServerRequest[];
  /** By the name of the primary. */
  readonly replicas: ReadonlyMap<string, ServerRequest>;
  /** Whether servers are to lose power: then what they have on disk is watched. */
  readonly losesPower: boolean;
  /** The nodes from which faults may cut off all clients at once: each gets a line of its own, where the fleet can make one. */
  readonly lineNames: readonly string[];
  /** How many proxies there will be. */
  readonly proxyCount: number;
  /** A folder of this run's own. */
  readonly folder: string;
  /** Aborted when nobody waits for the fleet any more. */
  readonly signal: AbortSignal;
  readonly onProgress: (step: string) => void;
}

/** The redis-servers and the Toxiproxy of one run, however they are run. */
export interface Fleet {
  readonly servers: ReadonlyMap<string, FleetServer>;
  /** By the name of its primary. Empty without replicas. */
  readonly replicas: ReadonlyMap<string, FleetServer>;
  /** By the name of the node. Clients reach all others where the run itself reaches them. */
  readonly lines: ReadonlyMap<string, ClientLine>;
  /** Toxiproxy's API: `http://host:port`. */
  readonly toxiproxyUrl: string;
  /** What the proxy with this number (from 0) shall listen on. */
  proxyListen(number: number): string;
  /** Where clients on this host reach the proxy, which reports that it listens on `listen`. */
  proxyAddress(number: number, listen: string): Address;
  /** Where the servers of the fleet reach the proxy: a replica follows its primary through one. */
  proxyAddressForServers(number: number, listen: string): Address;
  /** Which of its programs has ended although nobody ended it, and how, in words: `the redis-server of n1 was killed by SIGKILL`; null if none has. */
  unaskedEnd(): Promise<string | null>;
  /** Ends everything that was started, and leaves nothing behind. */
  close(): Promise<void>;
}

/** Starts fleets. */
export interface FleetStarter {
  readonly backend: string;
  /** Rejects with a TestbedUnavailableError if something is missing; leaves nothing behind then. */
  start(request: FleetRequest): Promise<Fleet>;
}
