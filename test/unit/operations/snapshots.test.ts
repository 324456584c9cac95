/** Operations that write new snapshots for old ones or remove them: forget, tag, rewrite. */
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import type { Backend } from '../../../src/backend/backend.ts';
import { serializeTree } from '../../../src/format/tree.ts';
import type { Id, Timestamp } from '../../../src/format/types.ts';
import { applyForget, planForget, planForgetNamed } from '../../../src/operations/forget.ts';
import { rewriteSnapshot } from '../../../src/operations/rewrite.ts';
import { rewriteRules } from '../../../src/operations/rewrite-rules.ts';
import { changedTags, changeTags } from '../../../src/operations/tag.ts';
import { toText } from '../../../src/util/byte-string.ts';
import { crashAfter, faulty } from '../../helpers/faulty.ts';
import { cloneBackend, History } from '../../helpers/history.ts';
import { saveRaw } from '../../helpers/repo.ts';
import { expectWhole } from '../../helpers/whole.ts';

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/**
 * Runs `work` on copies of a repository and stops it after each number of writes; each time the repository must be
 * whole, and `work` must then get through.
 */
async function stopEverywhere(
  backend: Backend,
  work: (backend: Backend) => Promise<unknown>,
  proof: (backend: Backend, complete: boolean) => Promise<void>,
): Promise<void> {
  for (let writes = 0; writes < 100; writes++) {
    const copy = await cloneBackend(backend);
    const crash = crashAfter(writes);
    await work(crash(copy)).catch((e: unknown) => {
      if (!crash.reached()) throw e;
    });
    await expectWhole(copy);
    await proof(copy, false);
    await work(copy);
    await expectWhole(copy);
    await proof(copy, true);
    if (!crash.reached()) return;
  }
  throw new Error('it never got through');
}

describe('forget', () => {
  it('removes what the rules do not keep, and nothing else', async () => {
    const history = await History.create();
    for (const n of range(0, 5)) await history.snapshot([n], { hostname: n % 2 === 0 ? 'even' : 'odd' });
    const repo = await history.open();
    const groupBy = { host: true, paths: true, tags: false };
    const plan = planForget(await repo.snapshots(), { policy: { last: 1 }, groupBy, filtered: false });
    expect(plan.groups.map((g) => [g.key.hostname, g.keep.length, g.remove.length])).toEqual([
      ['even', 1, 2],
      ['odd', 1, 1],
    ]);
    const before = await repo.snapshots();
    const { removed, failed } = await applyForget(repo, plan);
    expect(failed).toEqual([]);
    expect([...removed].sort()).toEqual(plan.remove.map((s) => s.id).sort());
    const left = before.map((s) => s.id).filter((id) => !removed.includes(id));
    expect((await expectWhole(history.backend)).snapshots.map((s) => s.id)).toEqual(left);
  });

  it('goes on where one cannot be removed', async () => {
    const history = await History.create();
    for (const n of range(0, 3)) await history.snapshot([n]);
    const error = () => new EngineError('permission', 'No.');
    const stuck = faulty([{ kind: 'error', operation: 'remove', type: 'snapshot', error }]);
    const repo = await history.open(stuck(history.backend));
    const told: Id[] = [];
    const plan = planForgetNamed(await repo.snapshots());
    const outcome = await applyForget(repo, plan, { onFailed: (id) => told.push(id) });
    expect(outcome.removed.length).toBe(2);
    expect(outcome.failed).toEqual(told);
    expect((await repo.snapshots()).map((s) => s.id)).toEqual(told);
  });

  it('can be stopped anywhere', async () => {
    const history = await History.create();
    for (const n of range(0, 4)) await history.snapshot([n]);
    const forget = async (backend: Backend) => {
      const repo = await history.open(backend);
      await applyForget(repo, planForgetNamed((await repo.snapshots()).slice(0, -1)));
    };
    await stopEverywhere(history.backend, forget, async (backend, complete) => {
      const { snapshots } = await expectWhole(backend);
      if (complete) expect(snapshots.length).toBe(1);
    });
  });
});

describe('tag', () => {
  it.each([
    [['a'], { set: ['b', 'c'] }, ['b', 'c']],
    [['a'], { set: [''] }, []],
    [['a'], { add: ['b', 'a'], remove: [] }, ['a', 'b']],
    [['a', 'b'], { add: [], remove: ['a'] }, ['b']],
    [['a'], { add: ['b'], remove: ['b'] }, undefined],
    [['a'], { add: ['a'], remove: ['x'] }, undefined],
    [[], { add: [], remove: ['x'] }, undefined],
  ] as const)('turns %j by %j into %j', (tags, change, expected) => {
    expect(changedTags(tags, change)).toEqual(expected);
  });

  it('keeps all else, and the first id through all changes', async () => {
    const history = await History.create();
    const first = await history.snapshot([1], { tags: ['a'], username: 'ada', uid: 5 });
    const repo = await history.open();
    const before = await repo.loadSnapshot(first);
    const second = await changeTags(repo, before, { add: ['b'], remove: [] });
    const third = await changeTags(repo, await repo.loadSnapshot(second!), { set: ['c'] });
    expect(await repo.snapshots()).toEqual([{ ...before, id: third, tags: ['c'], original: first }]);
    expect(
      await changeTags(repo, await repo.loadSnapshot(third!), { add: ['c'], remove: [] }),
    ).toBeUndefined();
  });

  it('can be stopped anywhere: a snapshot is never lost', async () => {
    const history = await History.create();
    for (const n of range(0, 3)) await history.snapshot([n]);
    const tag = async (backend: Backend) => {
      const repo = await history.open(backend);
      const existing = await repo.snapshots();
      for (const s of existing) await changeTags(repo, s, { add: ['new'], remove: [] }, { existing });
    };
    const trees = new Set((await expectWhole(history.backend)).snapshots.map((s) => s.tree));
    await stopEverywhere(history.backend, tag, async (backend, complete) => {
      const { snapshots } = await expectWhole(backend);
      expect(new Set(snapshots.map((s) => s.tree))).toEqual(trees);
      if (complete) expect(snapshots.map((s) => s.tags)).toEqual([['new'], ['new'], ['new']]);
    });
  });
});

const NO_PATTERNS = {
  ...{ exclude: [], iexclude: [], excludeFile: [], iexcludeFile: [] },
  ...{ include: [], iinclude: [], includeFile: [], iincludeFile: [], env: {} },
} as const;

describe('rewrite', () => {
  async function pathsOf(backend: Backend, tree: Id): Promise<string[]> {
    const { indexed } = await expectWhole(backend);
    const found: string[] = [];
    const walk = async (id: Id, path: string): Promise<void> => {
      for (const node of (await indexed.loadTree(id)).nodes) {
        found.push(`${path}/${toText(node.name)}`);
        if (node.subtree) await walk(node.subtree, `${path}/${toText(node.name)}`);
      }
    };
    await walk(tree, '');
    return found.sort();
  }

  async function one(contents: readonly number[]) {
    const history = await History.create();
    const id = await history.snapshot(contents, { tags: ['a'] });
    const repo = await history.open();
    return { history, id, repo, indexed: await repo.loadIndex(), snapshot: await repo.loadSnapshot(id) };
  }

  it('leaves out what is excluded, and keeps the ids of trees in which nothing changes', async () => {
    const { history, id, indexed, snapshot } = await one([1, 2, 3, 4]);
    const before = await indexed.loadTree(snapshot.tree);
    const rules = rewriteRules({ ...NO_PATTERNS, exclude: ['file 4'] })!;
    const outcome = await rewriteSnapshot(indexed, snapshot, rules);
    if (outcome.kind !== 'rewritten') throw new Error(outcome.kind);
    const { snapshots, indexed: after } = await expectWhole(history.backend);
    expect(snapshots.map((s) => s.id).sort()).toEqual([id, outcome.id!].sort());
    const made = snapshots.find((s) => s.id === outcome.id)!;
    expect(made).toMatchObject({ original: id, tags: ['a', 'rewrite'], time: snapshot.time });
    expect(made.summary).toMatchObject({ total_files_processed: 3, backup_start: '0001-01-01T00:00:00Z' });
    expect(await pathsOf(history.backend, made.tree)).toEqual([
      '/empty folder',
      '/folder 0',
      '/folder 0/file 3',
      '/folder 1',
      '/folder 1/file 1',
      '/folder 2',
      '/folder 2/file 2',
    ]);
    const subtree = async (
      tree: Promise<{ nodes: readonly { name: string; subtree: Id | undefined }[] }>,
      name: string,
    ) => (await tree).nodes.find((node) => node.name === name)?.subtree;
    const [was, is] = [Promise.resolve(before), after.loadTree(made.tree)];
    expect(await subtree(is, 'folder 0')).toBe(await subtree(was, 'folder 0'));
    expect(await subtree(is, 'folder 1')).not.toBe(await subtree(was, 'folder 1'));
  });

  it('keeps only what is included, with the folders on the way', async () => {
    const { history, indexed, snapshot } = await one([1, 2, 3, 4]);
    const rules = rewriteRules({ ...NO_PATTERNS, include: ['/folder 1/file 4', 'empty*'] })!;
    const outcome = await rewriteSnapshot(indexed, snapshot, { ...rules, forget: true });
    if (outcome.kind !== 'rewritten') throw new Error(outcome.kind);
    const { snapshots } = await expectWhole(history.backend);
    expect(snapshots.map((s) => [s.id, s.tags])).toEqual([[outcome.id, ['a']]]);
    expect(await pathsOf(history.backend, snapshots[0]!.tree)).toEqual([
      '/empty folder',
      '/folder 1',
      '/folder 1/file 4',
    ]);
  });

  it('does not touch a snapshot of which nothing would be left by --include', async () => {
    const { indexed, snapshot } = await one([1]);
    const rules = rewriteRules({ ...NO_PATTERNS, iinclude: ['/NOTHING/like/this'] })!;
    expect(await rewriteSnapshot(indexed, snapshot, rules)).toEqual({ kind: 'unchanged' });
  });

  it('leaves a snapshot alone in which nothing changes', async () => {
    const { history, indexed, snapshot } = await one([1]);
    const first = await rewriteSnapshot(indexed, snapshot, { summary: true, forget: true });
    if (first.kind !== 'rewritten') throw new Error(first.kind);
    const again = await history.open();
    const rules = rewriteRules({ ...NO_PATTERNS, exclude: ['nothing'] })!;
    const writes = crashAfter(0);
    const repo = await (await history.open(writes(history.backend))).loadIndex();
    expect(await rewriteSnapshot(repo, await again.loadSnapshot(first.id!), rules)).toEqual({
      kind: 'unchanged',
    });
    expect(writes.reached()).toBe(false);
  });

  it('gives another host and time, and writes nothing in a dry run', async () => {
    const { history, id, snapshot } = await one([1]);
    const writes = crashAfter(0);
    const indexed = await (await history.open(writes(history.backend))).loadIndex();
    const change = { newHost: 'other', newTime: '2020-01-01T00:00:00Z' as Timestamp };
    const files = rewriteRules({ ...NO_PATTERNS, exclude: ['file 1'] })!;
    const outcome = await rewriteSnapshot(indexed, snapshot, { ...change, ...files, dryRun: true });
    expect(writes.reached()).toBe(false);
    expect(outcome).toMatchObject({
      kind: 'rewritten',
      id: undefined,
      snapshot: { hostname: 'other', time: change.newTime, original: id },
    });
  });

  it('refuses trees that it would lose something of', async () => {
    const { history, repo, indexed } = await one([1]);
    const tree = await saveRaw(indexed, Buffer.from('{"nodes":[],"new thing":1}\n'));
    const id = await repo.saveSnapshot({ time: '2020-01-01T00:00:00Z' as Timestamp, tree, paths: ['/'] });
    const fresh = await (await history.open()).loadIndex();
    expect(serializeTree([]).toString()).toBe('{"nodes":[]}\n');
    const rules = rewriteRules({ ...NO_PATTERNS, exclude: ['x'] })!;
    const rewriting = rewriteSnapshot(fresh, await repo.loadSnapshot(id), { ...rules, forget: true });
    await expect(rewriting).rejects.toMatchObject({ code: 'unsupported', context: { tree } });
    expect((await expectWhole(history.backend)).snapshots.map((s) => s.id)).toContain(id);
  });

  it('refuses excludes and includes together', () => {
    expect(() => rewriteRules({ ...NO_PATTERNS, exclude: ['a'], include: ['b'] })).toThrow('not both');
    expect(rewriteRules(NO_PATTERNS)).toBeUndefined();
  });

  it('can be stopped anywhere', async () => {
    const history = await History.create();
    for (const n of range(0, 3)) await history.snapshot(range(n, n + 9));
    const rules = rewriteRules({ ...NO_PATTERNS, exclude: ['file 5'] })!;
    const rewrite = async (backend: Backend) => {
      const indexed = await (await history.open(backend)).loadIndex();
      const existing = await indexed.repository.snapshots();
      for (const s of existing) {
        await rewriteSnapshot(indexed, s, { ...rules, forget: true, existing });
      }
    };
    await stopEverywhere(history.backend, rewrite, async (backend, complete) => {
      const { snapshots } = await expectWhole(backend);
      expect(new Set(snapshots.map((s) => s.time)).size).toBe(3);
      if (!complete) return;
      expect(snapshots.length).toBe(3);
      for (const { tree } of snapshots)
        expect(await pathsOf(backend, tree)).not.toContain('/folder 2/file 5');
    });
  });
});
