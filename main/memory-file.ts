/** A small JSON file that the shell remembers things in. What cannot be read counts as not there: nothing in it is dear. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { z } from 'zod';
import { messageOf } from '../src/api/errors.ts';
import type { Log } from './electron.ts';

export class MemoryFile<S extends z.ZodType> {
  readonly #path: string;
  readonly #schema: S;
  readonly #log: Log;

  constructor(file: string, schema: S, log: Log) {
    this.#path = file;
    this.#schema = schema;
    this.#log = log;
  }

  read(): z.output<S> | undefined {
    try {
      return this.#schema.parse(JSON.parse(readFileSync(this.#path, 'utf8')));
    } catch {
      return undefined;
    }
  }

  write(value: z.input<S>): void {
    try {
      mkdirSync(path.dirname(this.#path), { recursive: true });
      writeFileSync(`${this.#path}.new`, JSON.stringify(value));
      renameSync(`${this.#path}.new`, this.#path);
    } catch (e) {
      this.#log('warning', `${this.#path} can't be written: ${messageOf(e)}`);
    }
  }
}
