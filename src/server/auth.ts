/**
 * Who may come in.
 *
 * start token  32 random bytes in the address that `holdfast serve` prints; good once, for a day
 * session      what a browser has after it came in: 32 random bytes in a cookie, of which only the hash is kept
 * password     for use beyond this machine
 */
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { Instant } from '../api/model/common.ts';
import type { Clock } from '../util/clock.ts';
import { verifyPassword } from './password.ts';

/** Where what must outlive the process lies. */
export interface AuthStore {
  /** What `saveSessions` was last given. Holds hashes, nothing to come in with. */
  loadSessions(): Promise<string | undefined>;
  saveSessions(text: string): Promise<void>;
  /** What `hashPassword` made of the password; undefined: none is set. */
  passwordHash(): Promise<string | undefined>;
  /** With which a monitor may read /metrics; undefined: none. */
  metricsToken(): Promise<string | undefined>;
}

const DAY = 86_400_000;
export const SESSION_LIFE = 30 * DAY;
const TOKEN_LIFE = DAY;
const MOST_SESSIONS = 100;
const MOST_TOKENS = 16;
/** That a session was used is written at most so often. */
const NOTE_USE = 60 * 60_000;

const Stored = z.array(z.object({ key: z.string(), createdAt: Instant, usedAt: Instant, notedAt: Instant }));
type Session = z.infer<typeof Stored>[number];

export class Auth {
  readonly #store: AuthStore;
  readonly #clock: Clock;
  /** By the hash of their id; oldest first. */
  readonly #sessions: Map<string, Session>;
  /** Hash → when it was made. */
  readonly #tokens = new Map<string, number>();
  readonly #onEnd: (key: string) => void;
  #saving: Promise<void> = Promise.resolve();

  private constructor(
    store: AuthStore,
    clock: Clock,
    onEnd: (key: string) => void,
    sessions: readonly Session[],
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#onEnd = onEnd;
    this.#sessions = new Map(sessions.map((session) => [session.key, session]));
  }

  /** `onEnd` hears the key of each session that ends. Sessions that can't be read are no sessions. */
  static async open(store: AuthStore, clock: Clock, onEnd: (key: string) => void): Promise<Auth> {
    return new Auth(store, clock, onEnd, sessionsIn(await store.loadSessions()));
  }

  /** A new start token. */
  startToken(): string {
    const token = newSecret();
    this.#tokens.set(hashOf(token), this.#clock.now());
    const [oldest] = this.#tokens.keys();
    if (this.#tokens.size > MOST_TOKENS && oldest) this.#tokens.delete(oldest);
    return token;
  }

  /** A session's id for a start token, which is used up by it; undefined: it is none, or no longer. */
  async redeem(token: string): Promise<string | undefined> {
    const hash = hashOf(token);
    const madeAt = this.#tokens.get(hash);
    this.#tokens.delete(hash);
    if (madeAt === undefined || this.#clock.now() - madeAt > TOKEN_LIFE) return undefined;
    return this.#newSession();
  }

  async hasPassword(): Promise<boolean> {
    return (await this.#store.passwordHash()) !== undefined;
  }

  /** A session's id for the right password. */
  async signIn(password: string): Promise<string | undefined> {
    const hash = await this.#store.passwordHash();
    if (hash === undefined || !(await verifyPassword(password, hash))) return undefined;
    return this.#newSession();
  }

  /** The key of the session with this id, which has been used now; undefined: there is none, or it has expired. */
  use(id: string): string | undefined {
    return this.keep(hashOf(id));
  }

  /** The same by its key: for connections that stay open. */
  keep(key: string): string | undefined {
    const session = this.#sessions.get(key);
    const now = this.#clock.now();
    if (!session) return undefined;
    if (now - session.usedAt > SESSION_LIFE) {
      void this.signOut(key);
      return undefined;
    }
    const note = now - session.notedAt > NOTE_USE;
    this.#sessions.set(key, { ...session, usedAt: now, notedAt: note ? now : session.notedAt });
    if (note) void this.#save();
    return key;
  }

  async signOut(key: string): Promise<void> {
    if (!this.#sessions.delete(key)) return;
    this.#onEnd(key);
    await this.#save();
  }

  /** After the password was changed: everybody has to sign in again. */
  async signOutAll(): Promise<void> {
    for (const key of [...this.#sessions.keys()]) await this.signOut(key);
  }

  /** Whether a monitor's token is right. */
  async isMetricsToken(token: string): Promise<boolean> {
    const expected = await this.#store.metricsToken();
    // Hashes are compared, so the time that it takes tells nothing about the token.
    return expected !== undefined && expected !== '' && hashOf(expected) === hashOf(token);
  }

  /** What is still being written. */
  settled(): Promise<void> {
    return this.#saving;
  }

  async #newSession(): Promise<string> {
    const id = newSecret();
    const now = this.#clock.now();
    const key = hashOf(id);
    this.#sessions.set(key, { key, createdAt: now, usedAt: now, notedAt: now });
    const [oldest] = [...this.#sessions.values()].sort((a, b) => a.usedAt - b.usedAt);
    if (this.#sessions.size > MOST_SESSIONS && oldest) await this.signOut(oldest.key);
    await this.#save();
    return id;
  }

  /** In order, and going on after a failure: the next save holds everything. */
  #save(): Promise<void> {
    const write = () => this.#store.saveSessions(JSON.stringify([...this.#sessions.values()]));
    this.#saving = this.#saving.then(write).catch(() => {});
    return this.#saving;
  }
}

function sessionsIn(text: string | undefined): readonly Session[] {
  if (text === undefined) return [];
  try {
    return Stored.parse(JSON.parse(text));
  } catch {
    return [];
  }
}

const newSecret = () => randomBytes(32).toString('base64url');
const hashOf = (secret: string) => createHash('sha256').update(secret).digest('base64url');
