/**
 * Where passwords and tokens lie: the system's keychain where the shell offers one, else a sealed file. A name says what a
 * secret is for: `repository:<destination id>`, `recovery:<destination id>`, `channel:<channel id>`, `web:password`.
 * Values never appear in errors, logs or anything a call returns.
 */
export interface Secrets {
  get(name: string): Promise<string | undefined>;
  /** Adds or replaces; stored safely when this resolves. */
  set(name: string, value: string): Promise<void>;
  /** Absent: success. */
  remove(name: string): Promise<void>;
  names(): Promise<readonly string[]>;
}
