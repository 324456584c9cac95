import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import { Hooks } from '../../../src/api/model/plan.ts';
import { ls } from '../../../src/operations/ls.ts';
import { toText } from '../../../src/util/byte-string.ts';
import { useTemp } from '../../helpers/scope.ts';
import { tree, writeTree } from '../../helpers/tree.ts';
import { HOST, World } from './support.ts';

const temp = useTemp();

function withSource(world: World, literal: Parameters<typeof tree>[0]): string {
  const path = world.path('documents');
  writeTree(path, tree(literal));
  return path;
}

describe('backup', () => {
  test('makes a version that names its plan, and a report that agrees with it', async () => {
    const world = new World(temp);
    const path = withSource(world, { 'a.txt': 'alpha', sub: { 'b.txt': 'beta!' } });
    const destination = await world.destination();
    const plan = world.plan(destination, { sources: [{ kind: 'path', path }], tags: ['mine'] });
    const run = await world.backUp(plan);
    expect(run).toMatchObject({
      state: 'succeeded',
      error: null,
      planName: 'Documents',
      destinationName: 'USB disk',
      report: { kind: 'backup', filesNew: 2, filesUnmodified: 0, bytesProcessed: 10 },
    });
    const [snapshot] = await world.repository(destination, (repo) => repo.snapshots());
    expect(snapshot).toMatchObject({
      id: run.report?.kind === 'backup' ? run.report.snapshotId : '',
      hostname: HOST,
      paths: [path],
      tags: [`plan:${plan.id}`, 'mine'],
      program_version: 'holdfast 9.9.9',
    });
    const again = await world.backUp(plan);
    expect(again.report).toMatchObject({ filesNew: 0, filesUnmodified: 2 });
    expect(world.logOf(again)).toContain(`Compared with the version ${snapshot!.id.slice(0, 8)}`);
  });

  test('tells of each step by events, and of the destination what was learnt', async () => {
    const world = new World(temp);
    const path = withSource(world, { 'a.txt': 'alpha' });
    const destination = await world.destination({
      problem: { code: 'unreachable', message: 'gone', transient: true },
    });
    const run = await world.backUp(world.plan(destination, { sources: [{ kind: 'path', path }] }));
    const states = world.events.flatMap((e) => (e.kind === 'run' ? [e.run.state] : []));
    expect(states).toEqual(['queued', 'running', 'succeeded']);
    expect(world.events.some((e) => e.kind === 'progress' && e.runId === run.id)).toBe(true);
    const after = world.store.destinations.get(destination.id)!;
    expect(after.problem).toBeNull();
    expect(after.lastSeenAt).toBeGreaterThan(0);
    expect(after.space!.free).toBeGreaterThan(0);
    const sizes = await world.repository(destination, async (repo) => {
      let sum = 0;
      for await (const { size } of repo.files.list('pack')) sum += size;
      return sum;
    });
    expect(after.usedBytes).toBe(sizes);
  });

  test('leaves out what the rules say, its own repository and the own folders', async () => {
    const world = new World(temp, {
      ports: {
        selectionOf: () => ({
          byName: (path) => (path.endsWith('.tmp') ? 'temporary' : undefined),
          byStat: () => undefined,
        }),
      },
    });
    const destination = await world.destination();
    writeTree(world.path('documents'), tree({ 'a.txt': 'a', 'b.tmp': 'b' }));
    const plan = world.plan(destination, { sources: [{ kind: 'path', path: world.home }] });
    const run = await world.backUp(plan);
    expect(run.report).toMatchObject({ filesNew: 1 });
  });

  test('a source that is missing is a problem; one that had files in the last version fails the run', async () => {
    const world = new World(temp);
    const path = withSource(world, { 'a.txt': 'a' });
    const other = world.path('other');
    const destination = await world.destination();
    const sources = [path, other].map((p) => ({ kind: 'path', path: p }) as const);
    const plan = world.plan(destination, { sources });
    const first = await world.backUp(plan);
    expect(first).toMatchObject({ state: 'warnings', problemCount: 1 });
    expect(world.problemsOf(first)).toMatchObject([{ path: other, error: { code: 'not-found' } }]);
    writeTree(other, tree({ 'b.txt': 'b' }));
    expect(await world.backUp(plan)).toMatchObject({ state: 'succeeded' });
    rmSync(other, { recursive: true });
    const lost = await world.backUp(plan);
    expect(lost).toMatchObject({ state: 'failed', report: null, error: { code: 'source-missing' } });
    expect(lost.error!.hint).not.toContain('--');
    mkdirSync(other);
    expect(await world.backUp(plan)).toMatchObject({ state: 'failed', error: { code: 'source-emptied' } });
  });

  test('what a command prints is a version of its own', async () => {
    const world = new World(temp);
    const path = withSource(world, { 'a.txt': 'a' });
    const destination = await world.destination();
    const plan = world.plan(destination, {
      sources: [
        { kind: 'path', path },
        {
          kind: 'command',
          fileName: 'dump.sql',
          command: [process.execPath, '-e', 'process.stdout.write("rows"); console.error("hello")'],
        },
      ],
    });
    const run = await world.backUp(plan);
    expect(run).toMatchObject({ state: 'succeeded', report: { filesNew: 2, bytesProcessed: 5 } });
    expect(world.logOf(run)).toContain('hello');
    await world.repository(destination, async (repo) => {
      const snapshots = await repo.snapshots();
      const dump = snapshots.find((s) => s.tags?.includes('source:dump.sql'))!;
      expect(dump).toMatchObject({ paths: ['/dump.sql'], tags: [`plan:${plan.id}`, 'source:dump.sql'] });
      expect(snapshots).toHaveLength(2);
      const seen: [string, bigint | number][] = [];
      await ls(await repo.loadIndex(), dump.tree, {
        onNode: ({ node, path: at }) => void seen.push([toText(at), node.size]),
        onDamaged: () => expect.unreachable(),
      });
      expect(seen.map(([at, size]) => [at, Number(size)])).toEqual([['/dump.sql', 4]]);
    });
  });

  test('a command that fails is a problem beside files, and a failure where it is all there is', async () => {
    const world = new World(temp);
    const path = withSource(world, { 'a.txt': 'a' });
    const destination = await world.destination();
    const command = {
      kind: 'command' as const,
      fileName: 'dump',
      command: [process.execPath, '-e', 'process.stdout.write("half"); process.exitCode = 3'],
    };
    const both = await world.backUp(world.plan(destination, { sources: [{ kind: 'path', path }, command] }));
    expect(both).toMatchObject({ state: 'warnings', problemCount: 1, report: { filesNew: 1 } });
    const alone = await world.backUp(world.plan(destination, { sources: [command] }));
    expect(alone).toMatchObject({ state: 'failed', error: { code: 'io' } });
    expect(alone.error!.message).toContain('exit code 3');
    const missing = { ...command, command: ['/no/such/program'] };
    const none = await world.backUp(world.plan(destination, { sources: [missing] }));
    expect(none).toMatchObject({ state: 'failed', error: { code: 'io' } });
    const snapshots = await world.repository(destination, (repo) => repo.snapshots());
    expect(snapshots).toHaveLength(1);
  });
});

describe('hooks', () => {
  const node = (code: string) => [process.execPath, '-e', code];
  const note = (path: string, ...names: readonly string[]) =>
    node(
      `require('fs').appendFileSync(${JSON.stringify(path)}, JSON.stringify(${JSON.stringify(names)}.map(n => process.env[n] ?? null)) + '\\n')`,
    );

  test('before and after, with what they may know and without what they may not', async () => {
    const env = { ...process.env, RESTIC_PASSWORD: 'x', HOLDFAST_PASSWORD: 'y' };
    const world = new World(temp, { ports: { env } });
    const path = withSource(world, { 'a.txt': 'a' });
    const notes = world.path('notes');
    const names = ['HOLDFAST_PLAN', 'HOLDFAST_RESULT', 'HOLDFAST_SNAPSHOT_ID', 'HOLDFAST_RUN_ID'];
    const secrets = ['RESTIC_PASSWORD', 'HOLDFAST_PASSWORD'];
    const plan = world.plan(await world.destination(), {
      sources: [{ kind: 'path', path }],
      hooks: Hooks.parse({
        before: [{ command: note(notes, ...names, ...secrets) }],
        after: [{ command: note(notes, ...names, ...secrets) }],
        onFailure: [{ command: note(notes, 'HOLDFAST_ERROR') }],
      }),
    });
    const run = await world.backUp(plan);
    const lines = readFileSync(notes, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const snapshotId = run.report?.kind === 'backup' ? run.report.snapshotId : null;
    expect(lines).toEqual([
      ['Documents', null, null, run.id, null, null],
      ['Documents', 'succeeded', snapshotId, run.id, null, null],
    ]);
  });

  test('a required one that fails stops the run before anything is opened; those for failure come', async () => {
    const world = new World(temp, {
      ports: { openRepository: () => Promise.reject(new Error('must not be opened')) },
    });
    const path = withSource(world, { 'a.txt': 'a' });
    const notes = world.path('notes');
    const hooks = Hooks.parse({
      before: [{ command: node('process.exitCode = 7') }],
      onFailure: [{ command: note(notes, 'HOLDFAST_RESULT', 'HOLDFAST_ERROR') }],
      after: [{ command: note(notes, 'HOLDFAST_RESULT') }],
    });
    const destination = await world.destination();
    const run = await world.backUp(world.plan(destination, { sources: [{ kind: 'path', path }], hooks }));
    expect(run).toMatchObject({ state: 'failed', error: { code: 'io' } });
    expect(run.error!.message).toContain('exit code 7');
    const lines = readFileSync(notes, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([['failed', run.error!.message], ['failed']]);
    // It says nothing about the destination.
    expect(world.store.destinations.get(destination.id)!.problem).toBeNull();
  });

  test('others that fail are problems', async () => {
    const world = new World(temp);
    const path = withSource(world, { 'a.txt': 'a' });
    const hooks = Hooks.parse({
      before: [{ command: node('process.exitCode = 1'), required: false }],
      after: [{ command: ['/no/such/program'] }],
    });
    const plan = world.plan(await world.destination(), { sources: [{ kind: 'path', path }], hooks });
    const run = await world.backUp(plan);
    expect(run).toMatchObject({ state: 'warnings', problemCount: 2, report: { filesNew: 1 } });
    expect(world.problemsOf(run).map((p) => p.path)).toEqual([process.execPath, '/no/such/program']);
  });

  test('what they print is in the log, without secrets and not without end', async () => {
    const world = new World(temp);
    world.secrets.set('repository:x', 'hunter22');
    const path = withSource(world, { 'a.txt': 'a' });
    const hooks = Hooks.parse({
      before: [
        {
          command: node(
            'console.log("key: hunter22"); for (let i = 0; i < 20000; i++) console.log("line " + i)',
          ),
        },
      ],
    });
    const plan = world.plan(await world.destination(), { sources: [{ kind: 'path', path }], hooks });
    const log = world.logOf(await world.backUp(plan));
    expect(log).toContain('key: [secret]');
    expect(log).not.toContain('hunter22');
    expect(log).toContain('(the rest was cut)');
    expect(log.length).toBeLessThan(70_000);
  });
});

test('an error that may pass is told as such, and the destination keeps it', async () => {
  const gone = new EngineError('unreachable', 'The server does not answer.', { transient: true });
  const world = new World(temp, { ports: { openRepository: () => Promise.reject(gone) } });
  const path = withSource(world, { 'a.txt': 'a' });
  const destination = await world.destination();
  const run = await world.backUp(world.plan(destination, { sources: [{ kind: 'path', path }] }));
  expect(run).toMatchObject({ state: 'failed', error: { code: 'unreachable', transient: true } });
  expect(world.store.destinations.get(destination.id)).toMatchObject({
    problem: { code: 'unreachable' },
    lastSeenAt: null,
  });
});

test('an unreadable file is a problem, and the version is there all the same', async () => {
  // The scan that runs ahead looks at it first; then something else lies there right before it is read.
  let looks = 0;
  const byStat = (p: string) => {
    if (p.endsWith('b.txt') && ++looks === 2) {
      rmSync(p);
      symlinkSync(p, p);
    }
    return undefined;
  };
  const world = new World(temp, { ports: { selectionOf: () => ({ byName: () => undefined, byStat }) } });
  const path = withSource(world, { 'a.txt': 'a', 'b.txt': 'b' });
  const destination = await world.destination();
  const run = await world.backUp(world.plan(destination, { sources: [{ kind: 'path', path }] }));
  expect(run).toMatchObject({ state: 'warnings', problemCount: 1, report: { filesNew: 1 } });
  expect(world.problemsOf(run)).toMatchObject([{ path: `${path}/b.txt` }]);
});
