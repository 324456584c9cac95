/**
 * The program is killed in the middle of its N-th write, sync, rename, removal: for every N. Whatever it was doing,
 * the repository is then sound for restic, every snapshot comes back, and the same command completes.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { type CliPlace, copyRepository, TEST_PASSWORD } from '../helpers/cli.ts';
import { expectSame, type FolderSnapshot, snapshotOf } from '../helpers/compare.ts';
import { createOnDisk } from '../helpers/disk-repository.ts';
import { Holdfast } from '../helpers/holdfast.ts';
import type { RunResult } from '../helpers/process.ts';
import { Restic } from '../helpers/restic.ts';
import { useTemp } from '../helpers/scope.ts';
import { requireTool } from '../helpers/tools.ts';

const temp = useTemp();
beforeEach((context) => requireTool(context, 'restic'));

const PRELOAD = fileURLToPath(new URL('../helpers/crash-preload.ts', import.meta.url));
/** Every N up to here, then every third. */
const DENSE = 60;

interface Scene {
  readonly place: CliPlace;
  /** The folder that was backed up, as it was at each snapshot: by the snapshot's tag. */
  readonly states: ReadonlyMap<string, FolderSnapshot>;
  readonly folder: string;
}

/** Bytes that are always the same and don't compress. */
function noise(name: string, size: number): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i * 32 < size; i++) parts.push(createHash('sha256').update(`${name} ${i}`).digest());
  return Buffer.concat(parts).subarray(0, size);
}

/** Each state has a third of its files for itself. */
function changeFolder(folder: string, state: number): void {
  for (let n = 0; n < 12; n++) {
    if (state > 0 && n % 3 !== state % 3) continue;
    const sub = join(folder, 'tree', `folder ${n % 4}`);
    fs.mkdirSync(sub, { recursive: true });
    fs.writeFileSync(join(sub, `noise ${n}`), noise(`${n} ${state}`, 200_000 + n));
    fs.writeFileSync(join(sub, `text ${n}`), `text ${n} ${state}\n`.repeat(2000));
  }
}

/** A repository with three snapshots, and a folder that has changed since the last. */
async function newScene(): Promise<Scene> {
  const home = temp.dir('home');
  const place = { home, repository: join(home, 'repository') };
  await createOnDisk(place);
  const folder = temp.dir('source');
  const states = new Map<string, FolderSnapshot>();
  for (let state = 0; state < 3; state++) {
    changeFolder(folder, state);
    states.set(`state-${state}`, snapshotOf(folder));
    await new Holdfast(place).backup(['tree'], { cwd: folder, args: ['--tag', `state-${state}`] });
  }
  changeFolder(folder, 3);
  states.set('state-3', snapshotOf(folder));
  return { place, states, folder };
}

interface Act {
  /** Of the repository that changes. */
  readonly scene: Scene;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Tags of the snapshots there must be when it has completed. */
  readonly completed: readonly string[];
  /** Those that must be there at any time. */
  readonly always: readonly string[];
  /** The passwords one of which must open it. */
  readonly passwords?: readonly string[];
  /** Take every n-th call only; every one unless said. */
  readonly step?: number;
}

/** A copy of the scene's repository, so that each N starts from the same. */
function copyOf(scene: Scene): CliPlace {
  const home = temp.dir('copy');
  const place = { home, repository: join(home, 'repository') };
  copyRepository(scene.place.repository, place.repository);
  return place;
}

function runUntil(act: Act, place: CliPlace, n: number, log?: string): Promise<RunResult> {
  return new Holdfast(place).try(act.args, {
    ...(act.cwd === undefined ? {} : { cwd: act.cwd }),
    env: {
      ...act.env,
      NODE_OPTIONS: `--import=${PRELOAD}`,
      HOLDFAST_TEST_CRASH_UNDER: place.repository,
      HOLDFAST_TEST_CRASH_AT: String(n),
      ...(log === undefined ? {} : { HOLDFAST_TEST_CRASH_LOG: log }),
    },
  });
}

/** How many calls the whole command makes, and that it makes them when nothing harms it. */
async function callsOf(act: Act): Promise<readonly string[]> {
  const place = copyOf(act.scene);
  const log = join(place.home, 'calls');
  expect((await runUntil(act, place, 0, log)).code).toBe(0);
  return fs.readFileSync(log, 'utf8').trim().split('\n');
}

async function openable(place: CliPlace, passwords: readonly string[]): Promise<CliPlace> {
  for (const password of passwords) {
    const { code } = await new Restic({ ...place, password }).try(['cat', 'config', '--no-lock']);
    if (code === 0) return { ...place, password };
  }
  throw new Error('no password opens the repository');
}

async function tagsOf(restic: Restic): Promise<readonly string[]> {
  return (await restic.snapshots()).map(({ tags }) => tags![0]!).sort();
}

async function expectRestored(restic: Restic, { states }: Scene): Promise<void> {
  for (const { id, tags } of await restic.snapshots()) {
    const target = join(restic.place.home, `target ${id}`);
    await restic.restore(id, target);
    expectSame(states.get(tags![0]!)!, snapshotOf(target), { root: false });
    fs.rmSync(target, { recursive: true });
  }
}

/** One N, from the killing to the run that completes. Tells whether it came to the killing. */
async function crashAt(act: Act, n: number): Promise<boolean> {
  const place = copyOf(act.scene);
  const { signal } = await runUntil(act, place, n);
  // What is under way at once may come in another order or number, so that the last N may not be reached.
  expect([null, 'SIGKILL']).toContain(signal);
  const { passwords = [TEST_PASSWORD] } = act;
  const open = await openable(place, passwords);
  const restic = new Restic(open);
  await restic.call(['unlock']);
  await restic.check();
  expect(await tagsOf(restic)).toEqual(expect.arrayContaining([...act.always]));
  await expectRestored(restic, act.scene);
  // Who changes a password and is stopped tries again with whichever opens.
  const options = { ...(act.cwd === undefined ? {} : { cwd: act.cwd }), env: { ...act.env } };
  await new Holdfast(open).call(act.args, options);
  const after = new Restic(await openable(place, [...passwords].reverse()));
  await after.check();
  expect([...new Set(await tagsOf(after))]).toEqual([...act.completed].sort());
  await expectRestored(after, act.scene);
  fs.rmSync(place.home, { recursive: true, force: true });
  return signal === 'SIGKILL';
}

async function crashEverywhere(act: Act): Promise<void> {
  const calls = await callsOf(act);
  expect(calls.length).toBeGreaterThan(5);
  const step = act.step ?? 1;
  const points = calls
    .map((_, i) => i + 1)
    .filter((n) => (n <= DENSE ? n % step === 0 : n % (3 * step) === 0) || n === calls.length);
  const next = points.values();
  let killed = 0;
  const work = async (): Promise<void> => {
    for (const n of next) {
      const reached = await crashAt(act, n).catch((e: unknown) => {
        throw new Error(`killed in call ${n} of ${calls.length} (${calls[n - 1]})`, { cause: e });
      });
      if (reached) killed++;
    }
  };
  await Promise.all([work(), work()]);
  expect(killed).toBeGreaterThanOrEqual(points.length - 3);
}

const ALL = ['state-0', 'state-1', 'state-2'];

describe('killed in the middle of any call', () => {
  it('backup', async () => {
    const scene = await newScene();
    const args = ['backup', 'tree', '--tag', 'state-3', '--pack-size', '4'];
    await crashEverywhere({ scene, args, cwd: scene.folder, always: ALL, completed: [...ALL, 'state-3'] });
  });

  it('forget', async () => {
    const scene = await newScene();
    const args = ['forget', '--keep-last', '1', '--group-by', ''];
    await crashEverywhere({ scene, args, always: ['state-2'], completed: ['state-2'] });
  });

  it('prune', async () => {
    const scene = await newScene();
    const [first] = await new Restic(scene.place).snapshots();
    await new Restic(scene.place).call(['forget', first!.id]);
    const left = ['state-1', 'state-2'];
    const args = ['prune', '--max-unused', '0'];
    await crashEverywhere({ scene, args, always: left, completed: left });
  });

  it('forget with prune', async () => {
    const scene = await newScene();
    const args = ['forget', '--keep-last', '1', '--group-by', '', '--prune', '--max-unused', '0'];
    await crashEverywhere({ scene, args, always: ['state-2'], completed: ['state-2'], step: 3 });
  });

  it('copy', async () => {
    const from = await newScene();
    const home = temp.dir('home');
    const place = { home, repository: join(home, 'repository') };
    await createOnDisk(place);
    const env = {
      HOLDFAST_FROM_REPOSITORY: from.place.repository,
      HOLDFAST_FROM_PASSWORD: TEST_PASSWORD,
    };
    const scene = { ...from, place };
    await crashEverywhere({ scene, args: ['copy'], env, always: [], completed: ALL });
  });

  it('change of the password', async () => {
    const scene = await newScene();
    const file = join(temp.dir('password'), 'new');
    fs.writeFileSync(file, 'another\n');
    const args = ['key', 'passwd', '--new-password-file', file];
    const passwords = [TEST_PASSWORD, 'another'];
    await crashEverywhere({ scene, args, always: ALL, completed: ALL, passwords });
  });

  it('adding of a key', async () => {
    const scene = await newScene();
    const file = join(temp.dir('password'), 'new');
    fs.writeFileSync(file, 'another\n');
    const args = ['key', 'add', '--new-password-file', file];
    await crashEverywhere({ scene, args, always: ALL, completed: ALL, step: 3 });
  });
});
