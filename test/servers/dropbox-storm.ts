/** Many files through a Dropbox where a good part of all calls goes wrong, by a seed: in the end everything is as it should be. */
import { createHash } from 'node:crypto';
import type { Handle } from '../../src/backend/backend.ts';
import { openDropbox } from '../../src/backend/dropbox/dropbox.ts';
import { limit } from '../../src/backend/limit.ts';
import { retry } from '../../src/backend/retry.ts';
import type { Clock } from '../../src/util/clock.ts';
import { forEachLimit } from '../../src/util/semaphore.ts';
import { DropboxServer, type Fault, refusing, tooManyRequests } from './dropbox.ts';
import { contentHash, union } from './dropbox-space.ts';

/** What a storm has come to; `wrong` names what is not as it should be. */
export interface StormReport {
  readonly wrong: readonly string[];
  readonly files: number;
  /** Calls that went wrong. */
  readonly faults: number;
  /** Of each kind. */
  readonly kinds: ReadonlySet<string>;
}

/** 0 … 1, evenly, the same for a seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Sleeps take no time: each only moves the clock. */
function hastyClock(): Clock {
  let time = 1_000_000;
  return {
    now: () => time,
    async sleep(ms) {
      time += ms;
      await new Promise(setImmediate);
    },
  };
}

const answer = (status: number, body: unknown): Fault => ({ kind: 'answer', status, body });
const WRITE_MET = { error: { reason: { '.tag': 'too_many_write_operations' } } };

/** Any call may meet these. */
const ANYWHERE: readonly Fault[] = [
  tooManyRequests(2),
  answer(500, 'internal'),
  answer(503, ''),
  { kind: 'drop' },
  { kind: 'lost' },
  { kind: 'expire' },
];

/** And some of them these as well. */
const SOMEWHERE: Readonly<Record<string, readonly Fault[]>> = {
  'files/upload_session/start': [refusing('content_hash_mismatch')],
  'files/upload_session/append_v2': [{ kind: 'forget' }, refusing('content_hash_mismatch')],
  'files/upload_session/finish_batch_v2': [
    { kind: 'forget' },
    { kind: 'spoil' },
    { kind: 'entry', failure: union('too_many_write_operations') },
    { kind: 'entry', failure: union('path', 'too_many_write_operations') },
    answer(429, WRITE_MET),
  ],
  'files/delete_v2': [answer(429, WRITE_MET), refusing('too_many_write_operations')],
  'files/delete_batch': [answer(429, WRITE_MET)],
  'files/list_folder/continue': [refusing('reset')],
};

interface Planned {
  readonly h: Handle;
  readonly bytes: Buffer;
}

/** Sizes are those of a repository in small: many of some hundred bytes, few of more than a piece of an upload. */
function plannedBy(random: () => number, count: number): readonly Planned[] {
  return Array.from({ length: count }, (_, i) => {
    const size = i % 1000 === 7 ? 17 << 20 : Math.floor(random() * 1500);
    const bytes = Buffer.alloc(size, createHash('sha256').update(`${i} ${random()}`).digest());
    const name = createHash('sha256').update(`${i}`).digest('hex');
    return { h: { type: i % 10 === 0 ? 'index' : 'pack', name }, bytes };
  });
}

function faultsBy(random: () => number, kinds: Set<string>, rate: number) {
  let count = 0;
  let sinceExpired = 0;
  const chance = (route: string): Fault | undefined => {
    sinceExpired++;
    if (random() > rate) return undefined;
    const possible = [...ANYWHERE, ...(SOMEWHERE[route] ?? [])];
    const fault = possible[Math.floor(random() * possible.length)];
    // A new token that is dead as well is no accident but a login that is over.
    if (fault?.kind === 'expire' && sinceExpired < 100) return undefined;
    if (fault?.kind === 'expire') sinceExpired = 0;
    count++;
    if (fault) kinds.add(fault.kind);
    return fault;
  };
  return { chance, count: () => count };
}

/** Saves `count` files, removes every third, lists, and reads all that is left. `rate`: how many calls go wrong, 0 … 1. */
export async function storm(seed: number, count: number, rate: number): Promise<StormReport> {
  const random = randomOf(seed);
  const server = await DropboxServer.start({ page: 500 });
  const clock = hastyClock();
  const kinds = new Set<string>();
  const trouble = faultsBy(random, kinds, rate);
  const login = { clientId: 'app-key', ...server.login.grant() };
  const setting = { options: server.options, login: { get: async () => login, put: async () => undefined } };
  const bare = await openDropbox('repo', setting, { clock, random });
  const backend = retry({ clock, random, maxElapsedMs: Number.POSITIVE_INFINITY })(
    limit({ connections: 16, clock })(bare),
  );
  try {
    server.chance = trouble.chance;
    const files = plannedBy(random, count);
    await forEachLimit(files, 16, ({ h, bytes }) => backend.save(h, [bytes]));
    const [gone, left] = [files.filter((_, i) => i % 3 === 0), files.filter((_, i) => i % 3 !== 0)];
    await forEachLimit(gone, 16, ({ h }) => backend.remove(h));
    const wrong: string[] = [];
    const want = new Map(left.map((file) => [file.h.name, file]));
    for (const type of ['pack', 'index'] as const) {
      for await (const { name, size, checksum } of backend.list(type, { checksums: true })) {
        const file = want.get(name);
        want.delete(name);
        if (file === undefined) wrong.push(`listed twice, or removed: ${name}`);
        else if (file.bytes.length !== size || checksum?.value !== contentHash(file.bytes))
          wrong.push(`listed as other: ${name}`);
      }
    }
    for (const name of want.keys()) wrong.push(`not listed: ${name}`);
    await forEachLimit(left, 16, async ({ h, bytes }) => {
      if (!bytes.equals(await backend.load(h))) wrong.push(`read as other: ${h.name}`);
    });
    if (server.space.files.size !== left.length) wrong.push(`${server.space.files.size} files are there`);
    return { wrong, files: left.length, faults: trouble.count(), kinds };
  } finally {
    await backend.close();
    await server.close();
  }
}
