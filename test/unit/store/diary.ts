/** Diaries in files, and what they complain of. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'vitest';
import type { ErrorCode } from '../../../src/api/errors.ts';
import { type DiaryStore, openStore, type StoreOptions } from '../../../src/store/sqlite.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

export interface Diary {
  readonly store: DiaryStore;
  readonly clock: VirtualClock;
  /** Sentences that `onProblem` heard. */
  readonly problems: string[];
}

export const NOON = Date.parse('2026-05-03T12:00:00Z');

export function openDiary(path: string, said: Partial<StoreOptions> = {}, start: number = NOON): Diary {
  const clock = new VirtualClock(start);
  const problems: string[] = [];
  const onProblem = (sentence: string) => void problems.push(sentence);
  return { store: openStore(path, { clock, onProblem, busyTimeoutMs: 0, ...said }), clock, problems };
}

/** Changes a closed database behind the store's back. */
export function behindItsBack<T>(path: string, work: (db: Database.Database) => T): T {
  const db = new Database(path);
  try {
    return work(db);
  } finally {
    db.close();
  }
}

const FIXTURES = join(import.meta.dirname, '../../fixtures/store');

/** Makes the file as version `version` of the schema wrote it. */
export function makeFixture(path: string, version: number): void {
  behindItsBack(path, (db) => db.exec(readFileSync(join(FIXTURES, `v${version}.sql`), 'utf8')));
}

export function expectRefusal(call: () => unknown, code: ErrorCode, words: RegExp): void {
  expect(call).toThrow(
    expect.objectContaining({ name: 'EngineError', code, message: expect.stringMatching(words) }),
  );
}
