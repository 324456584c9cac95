/**
 * Secrets in one small file. What differs from place to place is how the file as a whole is stored (`Container`) and how a
 * single value is (`Values`).
 *
 * Every call reads the file anew: it is small, and so no call ever acts on what somebody else has changed since. Changes
 * of one file wait for each other within this process; the host's lock of its data folder keeps other processes away.
 */
import path from 'node:path';
import { z } from 'zod';
import { EngineError } from '../api/errors.ts';
import { readPrivate, replacePrivate } from './private-file.ts';
import type { Secrets } from './secrets.ts';

export interface Container {
  /** Errors: 'damaged', 'wrong-password', 'unsupported'. */
  decode(bytes: Uint8Array): Promise<Uint8Array>;
  encode(json: Uint8Array): Promise<Uint8Array>;
}

export interface Values {
  seal(value: string): Promise<string>;
  open(stored: string): Promise<string>;
}

/** Pairs, because a name may be any text: as a key of an object, "__proto__" is none. */
const Pairs = z.array(z.tuple([z.string(), z.string()]));

/** By path: the last change that was asked for. */
const turns = new Map<string, Promise<unknown>>();

async function inTurn<T>(file: string, work: () => Promise<T>): Promise<T> {
  const mine = (turns.get(file) ?? Promise.resolve()).then(work, work);
  turns.set(file, mine);
  try {
    return await mine;
  } finally {
    if (turns.get(file) === mine) turns.delete(file);
  }
}

export class FileSecrets implements Secrets {
  readonly #file: string;
  readonly #container: Container;
  readonly #values: Values;

  constructor(file: string, container: Container, values: Values) {
    this.#file = path.resolve(file);
    this.#container = container;
    this.#values = values;
  }

  async get(name: string): Promise<string | undefined> {
    const stored = (await this.load()).get(name);
    return stored === undefined ? undefined : this.#values.open(stored);
  }

  async set(name: string, value: string): Promise<void> {
    const stored = await this.#values.seal(value);
    await this.#change((all) => all.set(name, stored));
  }

  async remove(name: string): Promise<void> {
    await this.#change((all) => all.delete(name));
  }

  async names(): Promise<readonly string[]> {
    return [...(await this.load()).keys()].sort();
  }

  /** What is stored under each name; nothing where there is no file. Errors: 'damaged', and the container's. */
  async load(): Promise<Map<string, string>> {
    const bytes = await readPrivate(this.#file);
    if (bytes === undefined) return new Map();
    return new Map(parsePairs(await this.#container.decode(bytes), this.#file));
  }

  /** A file that can't be read is never written over: what is thrown here comes before the write. */
  #change(change: (all: Map<string, string>) => unknown): Promise<void> {
    return inTurn(this.#file, async () => {
      const all = await this.load();
      if (change(all) === false) return;
      await replacePrivate(this.#file, await this.#container.encode(Buffer.from(JSON.stringify([...all]))));
    });
  }
}

function parsePairs(json: Uint8Array, file: string): z.infer<typeof Pairs> {
  try {
    return Pairs.parse(JSON.parse(Buffer.from(json).toString()));
  } catch {
    // Without the cause: a parser's message may quote what it read.
    throw damagedSecrets(file);
  }
}

export function damagedSecrets(file: string): EngineError {
  return new EngineError('damaged', `The file of passwords, ${file}, is damaged.`, {
    hint: 'Put back an older copy of it, or move it away and enter the passwords of your destinations again.',
    context: { file },
  });
}
