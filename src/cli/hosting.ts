/**
 * What the command line asks of the host's side; the program brings the real one, tests bring theirs.
 *
 * running   a host of another process (`holdfast serve`, the window) that answers at the data folder's socket
 * own       a host in this process, for as long as the command takes, where none is running
 */
import type { Client } from '../transport/client.ts';

export interface HostHandle {
  readonly client: Client;
  /** An own host ends what it does as soon as it safely can. */
  close(): Promise<void>;
}

export interface OpenHostOptions {
  /** Absolute. */
  readonly dataDir: string;
  /** For what the person should know though the work goes on. */
  readonly warn: (message: string) => void;
}

export interface ServeHostOptions extends OpenHostOptions {
  /** Name or address to listen at. */
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** The password for use beyond this machine, if it is to be set anew. */
  readonly password: string | undefined;
}

export interface Serving {
  /** With the token that signs a browser in, once. */
  readonly url: string;
  /** Resolves when what was under way is safe and nothing listens any more. */
  close(): Promise<void>;
}

export interface Hosting {
  /** undefined where nobody listens. Errors: 'unreachable' for one that listens but does not answer. */
  connect(dataDir: string, signal: AbortSignal): Promise<HostHandle | undefined>;
  /** Errors: 'locked' where another process holds the data folder. */
  open(o: OpenHostOptions): Promise<HostHandle>;
  /** A host that plans run by, and that a browser can reach. Errors: as `open`; 'usage', 'conflict' for the address. */
  serve(o: ServeHostOptions): Promise<Serving>;
  /** Keeps the password for use beyond this machine. Errors: as `open`. */
  setWebPassword(o: OpenHostOptions, password: string): Promise<void>;
}
