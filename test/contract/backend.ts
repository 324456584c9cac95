/** What every storage and every decorator must do: one suite, run against each. */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/api/errors.ts';
import { type Backend, CONFIG_HANDLE, type FileInfo, type Handle } from '../../src/backend/backend.ts';
import type { FileType } from '../../src/format/types.ts';

export interface Subject {
  readonly backend: Backend;
  /** The same storage, seen by another process; without it the suite looks through `backend` itself. */
  readonly other?: Backend;
  /** Words that `location` must not show. */
  readonly secrets?: readonly string[];
  /** Types that the storage has no place for. */
  readonly lacks?: readonly FileType[];
  readonly dispose?: () => Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const idOf = (seed: string): string => createHash('sha256').update(seed).digest('hex');
const handle = (type: FileType, seed: string): Handle =>
  type === 'config' ? CONFIG_HANDLE : { type, name: idOf(seed) };
const TYPES = [
  'config',
  'key',
  'lock',
  'snapshot',
  'index',
  'pack',
  'settings',
] as const satisfies readonly FileType[];

async function collect(files: AsyncIterable<FileInfo>): Promise<FileInfo[]> {
  const all: FileInfo[] = [];
  for await (const file of files) all.push(file);
  return all;
}

/** When files were stored is told by some storages only: whole milliseconds, where it is. */
async function listed(b: Backend, type: FileType): Promise<readonly FileInfo[]> {
  const files = (await collect(b.list(type))).sort((x, y) => (x.name < y.name ? -1 : 1));
  return files.map(({ storedAt = 0, ...file }) => {
    expect(storedAt).toSatisfy(Number.isSafeInteger);
    return file;
  });
}

async function refuses(call: Promise<unknown>, code: ErrorCode): Promise<void> {
  await expect(call).rejects.toMatchObject({ name: 'EngineError', code });
}

/** The storage of the running test. */
type Get = () => Backend;

type Lacks = (type: FileType) => boolean;

/** A storage without a place for a type says so when a file is saved, and is otherwise just empty of them. */
async function takesNone(b: Backend, h: Handle): Promise<void> {
  await refuses(b.save(h, [bytes('hello')]), 'unsupported');
  await refuses(b.load(h), 'not-found');
  await refuses(b.stat(h), 'not-found');
  expect(await listed(b, h.type)).toEqual([]);
  await b.remove(h);
}

function savingAndLoading(get: Get, other: Get, lacks: Lacks): void {
  it.each(TYPES)('gives back a %s file as it was saved', async (type) => {
    const h = handle(type, 'a');
    if (lacks(type)) return takesNone(get(), h);
    await get().save(h, [bytes('hello')]);
    expect(Buffer.from(await other().load(h)).toString()).toBe('hello');
    expect(await other().stat(h)).toEqual({ name: h.name, size: 5 });
    expect(await listed(other(), type)).toEqual([{ name: h.name, size: 5 }]);
  });

  it('joins a buffer list, empty pieces and many pieces included', async () => {
    const pieces = Array.from({ length: 3000 }, (_, i) => bytes(i % 7 === 0 ? '' : String(i)));
    const h = handle('pack', 'list');
    await get().save(h, pieces);
    expect(Buffer.from(await other().load(h)).equals(Buffer.concat(pieces))).toBe(true);
  });

  it('keeps some megabytes exactly', async () => {
    const big = Buffer.alloc(5_000_003, 'seventeen bytes..');
    const h = handle('pack', 'big');
    await get().save(h, [big.subarray(0, 1_000_001), big.subarray(1_000_001)]);
    const got = Buffer.from(await get().load(h));
    expect(got.equals(big)).toBe(true);
  });

  it('keeps an empty file', async () => {
    const h = handle('pack', 'empty');
    await get().save(h, []);
    expect(await get().load(h)).toHaveLength(0);
    expect(await get().stat(h)).toEqual({ name: h.name, size: 0 });
    await refuses(get().load(h, { length: 1 }), 'range');
  });

  it('takes the same data a second time, and leaves the buffers alone', async () => {
    const data = [bytes('one'), bytes('two')];
    const h = handle('snapshot', 'again');
    await get().save(h, data);
    await get().save(h, data);
    expect(data.map((d) => Buffer.from(d).toString())).toEqual(['one', 'two']);
    expect(await listed(get(), 'snapshot')).toEqual([{ name: h.name, size: 6 }]);
  });

  it('replaces an existing file', async () => {
    const h = handle('lock', 'replaced');
    await get().save(h, [bytes('a longer first text')]);
    await get().save(h, [bytes('short')]);
    expect(Buffer.from(await other().load(h)).toString()).toBe('short');
    expect(await listed(other(), 'lock')).toEqual([{ name: h.name, size: 5 }]);
  });

  it('keeps no tie to the buffers of caller and reader', async () => {
    const data = bytes('before');
    const h = handle('pack', 'alias');
    await get().save(h, [data]);
    data.fill(0);
    (await get().load(h)).fill(1);
    expect(Buffer.from(await get().load(h)).toString()).toBe('before');
  });
}

function ranges(get: Get): void {
  const cases: readonly (readonly [offset: number | undefined, length: number | undefined, want: string])[] =
    [
      [undefined, undefined, '0123456789'],
      [0, 10, '0123456789'],
      [3, 4, '3456'],
      [6, undefined, '6789'],
      [9, 1, '9'],
      [undefined, 2, '01'],
      [0, 0, ''],
      [5, 0, ''],
      [10, 0, ''],
      [10, undefined, ''],
    ];
  for (const type of ['pack', 'index'] as const) {
    for (const cacheable of [false, true]) {
      it(`gives any range of a ${type} (cacheable: ${cacheable})`, async () => {
        const h = handle(type, 'ranges');
        await get().save(h, [bytes('01234'), bytes('56789')]);
        for (const [o, l, want] of [...cases, ...cases]) {
          const offset = o === undefined ? {} : { offset: o };
          const length = l === undefined ? {} : { length: l };
          const got = await get().load(h, { cacheable, ...offset, ...length });
          expect(Buffer.from(got).toString(), `offset ${o}, length ${l}`).toBe(want);
        }
      });
    }
    it(`refuses ranges beyond the end of a ${type}`, async () => {
      const h = handle(type, 'beyond');
      await get().save(h, [bytes('0123456789')]);
      await refuses(get().load(h, { offset: 3, length: 8 }), 'range');
      await refuses(get().load(h, { length: 11, cacheable: true }), 'range');
      await refuses(get().load(h, { offset: 11 }), 'range');
      await refuses(get().load(h, { offset: 11, length: 0 }), 'range');
    });
  }
  it('refuses counts that are none', async () => {
    const h = handle('pack', 'counts');
    await get().save(h, [bytes('0123456789')]);
    await refuses(get().load(h, { offset: -1 }), 'usage');
    await refuses(get().load(h, { length: -1 }), 'usage');
    await refuses(get().load(h, { offset: 0.5, length: 1 }), 'usage');
  });
}

function absence(get: Get, lacks: Lacks): void {
  it.each(TYPES)('knows no %s file before one is saved', async (type) => {
    const h = handle(type, 'absent');
    await refuses(get().load(h), 'not-found');
    await refuses(get().load(h, { offset: 0, length: 1, cacheable: true }), 'not-found');
    await refuses(get().stat(h), 'not-found');
    expect(await listed(get(), type)).toEqual([]);
    await get().remove(h);
  });

  it.each(TYPES)('removes a %s file, and does not mind when it is gone', async (type) => {
    const h = handle(type, 'removed');
    if (lacks(type)) return takesNone(get(), h);
    await get().save(h, [bytes('x')]);
    await get().load(h);
    await get().remove(h);
    await refuses(get().load(h), 'not-found');
    await refuses(get().stat(h), 'not-found');
    expect(await listed(get(), type)).toEqual([]);
    await get().remove(h);
  });
}

function many(get: Get): void {
  it('lists a thousand packs, and only packs', async () => {
    const all = Array.from({ length: 1000 }, (_, i) => handle('pack', `many ${i}`));
    await Promise.all(all.map((h, i) => get().save(h, [new Uint8Array(i)])));
    await get().save(handle('index', 'other'), [bytes('index')]);
    const want = all.map((h, size) => ({ name: h.name, size })).sort((x, y) => (x.name < y.name ? -1 : 1));
    expect(await listed(get(), 'pack')).toEqual(want);
  });

  it('serves other calls from within a list', async () => {
    for (const seed of ['a', 'b', 'c']) await get().save(handle('index', seed), [bytes(seed)]);
    const read: string[] = [];
    for await (const { name } of get().list('index')) {
      read.push(Buffer.from(await get().load({ type: 'index', name })).toString());
    }
    expect(read.sort()).toEqual(['a', 'b', 'c']);
  });

  it('lets a reader leave a list early', async () => {
    for (const seed of ['a', 'b', 'c']) await get().save(handle('key', seed), [bytes(seed)]);
    for await (const _ of get().list('key')) break;
    expect(await listed(get(), 'key')).toHaveLength(3);
  });

  it('lets one of several saves of a name win, whole', async () => {
    const h = handle('snapshot', 'race');
    const texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(10_000 + i));
    await Promise.all(texts.map((t) => get().save(h, [bytes(t)])));
    expect(texts).toContain(Buffer.from(await get().load(h)).toString());
    expect(await listed(get(), 'snapshot')).toHaveLength(1);
  });
}

function aborts(get: Get): void {
  it('changes nothing in a call begun after the abort', async () => {
    const o = { signal: AbortSignal.abort('shutdown') };
    const [kept, never] = [handle('index', 'kept'), handle('index', 'never')];
    await get().save(kept, [bytes('kept')]);
    const want = { name: 'EngineError', code: 'cancelled', context: { reason: 'shutdown' } };
    await expect(get().save(never, [bytes('x')], o)).rejects.toMatchObject(want);
    await expect(get().remove(kept, o)).rejects.toMatchObject(want);
    await expect(get().load(kept, o)).rejects.toMatchObject(want);
    await expect(get().stat(kept, o)).rejects.toMatchObject(want);
    await expect(collect(get().list('index', o))).rejects.toMatchObject(want);
    expect(await listed(get(), 'index')).toEqual([{ name: kept.name, size: 4 }]);
  });

  it('ends a save that is aborted on its way whole or not at all', async () => {
    for (const steps of [0, 1, 2, 5, 10, 20]) {
      const h = handle('pack', `abort ${steps}`);
      const abort = new AbortController();
      const saving = get().save(h, [new Uint8Array(3_000_000)], { signal: abort.signal });
      const ended = saving.then(
        () => 'saved',
        (e: unknown) => (e instanceof Error && 'code' in e ? e.code : e),
      );
      for (let i = 0; i < steps; i++) await new Promise(setImmediate);
      abort.abort();
      const outcome = await ended;
      expect(['saved', 'cancelled']).toContain(outcome);
      const size = await get()
        .stat(h)
        .then((s) => s.size)
        .catch(() => 'absent');
      expect(size).toBe(outcome === 'saved' ? 3_000_000 : 'absent');
    }
  });

  it('ends a list at an abort', async () => {
    for (let i = 0; i < 100; i++) await get().save(handle('lock', `l${i}`), [bytes('x')]);
    const abort = new AbortController();
    const reading = (async () => {
      for await (const _ of get().list('lock', { signal: abort.signal })) abort.abort();
    })();
    await refuses(reading, 'cancelled');
  });
}

function names(get: Get, secrets: () => readonly string[]): void {
  const hostile = ['', '..', '../config', '/etc/passwd', 'a/b', `${'a'.repeat(63)}/`, `${'a'.repeat(64)}\0`];
  it('refuses names that are not ids', async () => {
    for (const name of [...hostile, 'A'.repeat(64), 'a'.repeat(63), `${'a'.repeat(64)}-tmp-1`]) {
      const h: Handle = { type: 'pack', name };
      await refuses(get().save(h, [bytes('x')]), 'usage');
      await refuses(get().load(h), 'usage');
      await refuses(get().load(h, { offset: 0, length: 1, cacheable: true }), 'usage');
      await refuses(get().stat(h), 'usage');
      await refuses(get().remove(h), 'usage');
      await refuses(get().save({ type: 'config', name: name || 'x' }, [bytes('x')]), 'usage');
    }
    for (const type of TYPES) expect(await listed(get(), type)).toEqual([]);
  });

  it('shows where it is, without secrets', () => {
    expect(get().location).not.toBe('');
    for (const secret of secrets()) expect(get().location).not.toContain(secret);
  });

  it('promises calls at once', () => {
    expect(get().traits.connections).toBeGreaterThan(0);
  });
}

export function backendContract(name: string, factory: () => Promise<Subject>): void {
  describe(`backend contract: ${name}`, () => {
    let subject: Subject;
    beforeEach(async () => {
      subject = await factory();
    });
    afterEach(async () => {
      await subject.backend.close();
      await subject.dispose?.();
    });
    const get: Get = () => subject.backend;
    const other: Get = () => subject.other ?? subject.backend;
    const lacks: Lacks = (type) => subject.lacks?.includes(type) ?? false;
    savingAndLoading(get, other, lacks);
    ranges(get);
    absence(get, lacks);
    many(get);
    aborts(get);
    names(get, () => subject.secrets ?? []);
  });
}
