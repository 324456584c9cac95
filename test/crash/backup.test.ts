/** A backup that is stopped anywhere: nothing is lost, and the next run stores only what is missing. */
import { createHash, randomBytes, randomInt } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createSelector } from '../../src/archiver/exclude.ts';
import { buildRoots } from '../../src/archiver/roots.ts';
import type { Backend } from '../../src/backend/backend.ts';
import { adoptPacks } from '../../src/operations/adopt-packs.ts';
import { backup } from '../../src/operations/backup.ts';
import { check } from '../../src/operations/check.ts';
import type { BlobIndex } from '../../src/repository/blob-index.ts';
import { fromText } from '../../src/util/byte-string.ts';
import type { CliPlace } from '../helpers/cli.ts';
import { expectSame, snapshotOf } from '../helpers/compare.ts';
import { createOnDisk } from '../helpers/disk-repository.ts';
import { Crash, crashAfter } from '../helpers/faulty.ts';
import { cloneBackend, History } from '../helpers/history.ts';
import { Holdfast } from '../helpers/holdfast.ts';
import { Restic } from '../helpers/restic.ts';
import { useTemp } from '../helpers/scope.ts';
import { requireTool } from '../helpers/tools.ts';
import { expectWhole } from '../helpers/whole.ts';

const temp = useTemp();

function bytesOf(name: string, size: number): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i * 32 < size; i++) parts.push(createHash('sha256').update(`${name} ${i}`).digest());
  return Buffer.concat(parts).subarray(0, size);
}

function writeState(folder: string, state: number): void {
  for (let n = 0; n < 40; n++) {
    if (state > 0 && n % 2 === 0) continue;
    const sub = join(folder, `folder ${n % 5}`);
    fs.mkdirSync(sub, { recursive: true });
    fs.writeFileSync(join(sub, `file ${n}`), bytesOf(`${n} ${state}`, 300 + n * 40));
  }
}

/** As a new process would: the backup of a folder through `backend`. */
async function run(history: History, backend: Backend, folder: string, adopt = false): Promise<void> {
  const repo = await (await history.open(backend)).loadIndex();
  if (adopt) await adoptPacks(repo);
  await backup(repo, {
    source: { roots: buildRoots([fromText(folder)], fromText('/')) },
    selection: createSelector({ targets: [fromText(folder)] }),
    paths: [folder],
    hostname: 'host',
    username: 'user',
    uid: 0,
    gid: 0,
    programVersion: 'test',
    threads: 1,
  });
}

/** How often each blob is listed, by `type id`. */
function copies(index: BlobIndex): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const { type, id } of index) found.set(`${type} ${id}`, (found.get(`${type} ${id}`) ?? 0) + 1);
  return found;
}

async function expectSound(history: History, backend: Backend): Promise<void> {
  const findings: unknown[] = [];
  const readData = { kind: 'all' } as const;
  const report = await check(await history.open(backend), {
    readData,
    threads: 1,
    onFinding: (finding) => findings.push(finding),
  });
  expect(report.errors, JSON.stringify(findings)).toBe(0);
}

describe('stopped after every write to the storage', () => {
  it.each([
    ['with the packs that were listed', false],
    ['with all packs, those of no index too', true],
  ])('the next run completes %s', async (_, adopt) => {
    const history = await History.create();
    const folder = temp.dir('source');
    writeState(folder, 0);
    await run(history, history.backend, folder);
    writeState(folder, 1);
    const earlier = (await expectWhole(history.backend)).snapshots.map(({ id }) => id);
    for (let n = 0, reached = true; reached; n++) {
      const backend = await cloneBackend(history.backend);
      const crash = crashAfter(n);
      const error = await run(history, crash(backend), folder).catch((e: unknown) => e);
      reached = crash.reached();
      if (!reached) expect(n).toBeGreaterThan(10);
      else expect(causes(error).some((e) => e instanceof Crash)).toBe(true);
      await expectSound(history, backend);
      const before = await expectWhole(backend);
      expect(before.snapshots.map(({ id }) => id)).toEqual(expect.arrayContaining(earlier));
      const had = new Map(copies(before.indexed.index));
      if (adopt) for (const key of await orphanBlobs(history, backend)) had.set(key, 1);
      await run(history, backend, folder, adopt);
      await expectSound(history, backend);
      const after = await expectWhole(backend);
      expect(after.snapshots.length).toBeGreaterThan(earlier.length);
      const now = copies(after.indexed.index);
      for (const [key, count] of had) expect(now.get(key), `${key} after write ${n}`).toBe(count);
      if (adopt) expect(after.orphans).toEqual([]);
    }
  });
});

function causes(error: unknown): readonly unknown[] {
  return error instanceof Error ? [error, ...causes(error.cause)] : [error];
}

/** What lies in packs that no index lists; read on a copy. */
async function orphanBlobs(history: History, backend: Backend): Promise<readonly string[]> {
  const repo = await (await history.open(await cloneBackend(backend))).loadIndex();
  await adoptPacks(repo);
  return [...copies(repo.index).keys()];
}

// ---- the real thing

const MIB = 1024 * 1024;
const KILLS = 15;
const FILES = 12;

function newPlace(): CliPlace {
  const home = temp.dir('home');
  return { home, repository: join(home, 'repository') };
}

it('kill -9 at random moments: sound each time, the next run completes and stores only what is missing', async (context) => {
  requireTool(context, 'restic');
  const place = newPlace();
  await createOnDisk(place);
  const [holdfast, restic] = [new Holdfast(place), new Restic(place)];
  const folder = temp.dir('source');
  fs.mkdirSync(join(folder, 'tree'));
  const renew = (n: number) => fs.writeFileSync(join(folder, 'tree', `file ${n}`), randomBytes(20 * MIB));
  for (let n = 0; n < FILES; n++) renew(n);
  const args = ['backup', 'tree'];
  let killed = 0;
  let longest = 2200;
  for (let n = 0; n < KILLS; n++) {
    const killAfterMs = randomInt(150, longest);
    process.stderr.write(`kill -9 after ${killAfterMs} ms\n`);
    const start = performance.now();
    const { signal } = await holdfast.try(args, { cwd: folder, killAfterMs });
    if (signal === 'SIGKILL') killed++;
    else {
      // Too late on a quick machine: sooner from now on, and with something to do.
      longest = Math.max(300, Math.round(performance.now() - start));
      for (let k = 0; k < 4; k++) renew((n + k) % FILES);
    }
    await restic.call(['check', '--no-lock']);
    const completed = await restic.snapshots();
    // Each third time the folder changes only after a run that completed; else kill follows kill.
    if (n % 3 !== 2) continue;
    await holdfast.call(args, { cwd: folder });
    expect((await restic.snapshots()).length).toBe(completed.length + 1);
    for (let k = 0; k < 4; k++) renew((n + k) % FILES);
  }
  expect(killed).toBeGreaterThan(0);
  await holdfast.call(args, { cwd: folder });
  const [plan] = await holdfast.json(['prune', '--dry-run', '--max-unused', 'unlimited']);
  expect(plan).toMatchObject({ blobs: { duplicate: 0 } });
  // Its dead locks went with the last backup, or restic could not lock the repository exclusively.
  await restic.check();
  const target = temp.dir('target');
  await restic.restore('latest', target);
  expectSame(snapshotOf(folder), snapshotOf(target), { root: false });
});
