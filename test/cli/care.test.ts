/** forget, prune, copy, rewrite, tag and key as people call them. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CliPlace } from '../helpers/cli.ts';
import { createOnDisk, withOnDisk } from '../helpers/disk-repository.ts';
import { Holdfast } from '../helpers/holdfast.ts';
import { SOME_TIME_NS, saveTree, time } from '../helpers/repo.ts';
import { useTemp } from '../helpers/scope.ts';

const temp = useTemp();
const DAY_NS = 86_400_000_000_000n;

let place: CliPlace;
let holdfast: Holdfast;

function newPlace(): CliPlace {
  const home = temp.dir('home');
  return { home, repository: join(home, 'repository') };
}

/** A snapshot a day: of one host and path, each with a file of its own and one that all share. */
async function snapshots(count: number): Promise<readonly string[]> {
  return withOnDisk(place, async (repo) => {
    const ids: string[] = [];
    for (let day = 0; day < count; day++) {
      const tree = await saveTree(await repo.loadIndex(), { same: 'in all', [`file ${day}`]: `only ${day}` });
      const at = time(SOME_TIME_NS + BigInt(day) * DAY_NS);
      ids.push(
        await repo.saveSnapshot({ time: at, tree, paths: ['/data'], hostname: 'host', username: 'ada' }),
      );
    }
    return ids;
  });
}

const out = async (...args: string[]) => (await holdfast.call(args)).stdout.toString();
const left = async () => (await holdfast.snapshots()).map((s) => s.id);

beforeEach(async () => {
  place = newPlace();
  holdfast = new Holdfast(place);
  await createOnDisk(place);
});

describe('forget', () => {
  it('tells what stays, what goes and why, and removes it', async () => {
    const ids = await snapshots(4);
    const dry = await out('forget', '--keep-last', '1', '--keep-within', '1d12h', '--dry-run');
    expect(dry).toContain('host [host], paths [/data]');
    expect(dry).toMatch(/keep 2 snapshots:\nID +Time +Host +Tags +Reasons/);
    expect(dry).toContain('within 1d12h');
    expect(dry).toMatch(/Would have removed these snapshots:\n.*\w{8} \w{8}/);
    expect(await left()).toEqual(ids);
    expect(await out('forget', '--keep-last', '1', '--keep-within', '1d12h')).not.toContain('Would');
    expect(await left()).toEqual(ids.slice(2));
    expect(await out('forget', ids[2]!.slice(0, 9))).toBe('removed 1 snapshot\n');
    expect(await left()).toEqual(ids.slice(3));
  });

  it('prints the groups as JSON, and what prune does after it', async () => {
    const ids = await snapshots(3);
    const [group, summary] = await holdfast.json([
      'forget',
      '--keep-daily',
      '1',
      '--prune',
      '--keep-tag',
      'x',
    ]);
    expect(group).toMatchObject({
      ...{ tags: null, host: 'host', paths: ['/data'] },
      keep: [{ id: ids[2], short_id: ids[2]!.slice(0, 8) }],
      remove: [{ id: ids[1] }, { id: ids[0] }],
      reasons: [{ snapshot: { id: ids[2] }, matches: ['daily snapshot'] }],
    });
    expect(summary).toMatchObject({ message_type: 'summary', blobs: { used: 3, unused: 4, remaining: 3 } });
    await holdfast.check();
  });

  it.each([
    [['forget'], 'what to keep'],
    [['forget', '--unsafe-allow-remove-all'], 'for a host, a tag or a path'],
    [['forget', '--keep-tag', 'x'], 'no snapshot at all'],
    [['forget', '--keep-last', '-1'], 'below 0'],
    [['forget', '--keep-last', '1', '--no-lock'], '--dry-run'],
    [['prune', '--no-lock'], '--dry-run'],
    [['prune', '--max-unused', '100%'], '100%'],
    [['prune', '--max-unused', '-1%'], '-1%'],
    [['prune', '--unsafe-recover-no-free-space', 'yes'], 'id of the repository'],
    [['tag'], 'nothing to do'],
    [['tag', '--set', 'a', '--add', 'b'], '--set'],
    [['rewrite'], 'nothing to do'],
    [['rewrite', '--exclude', 'a', '--include', 'b'], 'not both'],
    [['copy'], '--from-repo'],
    [['key', 'remove', 'abc'], 'no key'],
    [['key', 'add', '--new-insecure-no-password', '--new-password-file', 'x'], 'either'],
  ])('%j is refused, and changes nothing', async (args, sentence) => {
    const ids = await snapshots(2);
    const { code, stderr } = await holdfast.try(args);
    expect([code, stderr]).toEqual([1, expect.stringContaining(sentence)]);
    expect(await left()).toEqual(ids);
  });

  it('removes all of a host when that is wanted', async () => {
    await snapshots(2);
    await out('forget', '--unsafe-allow-remove-all', '--host', 'host');
    expect(await left()).toEqual([]);
  });
});

describe('prune', () => {
  it('keeps to its dry run, and says what it does', async () => {
    const ids = await snapshots(3);
    await out('forget', ids[0]!, ids[1]!);
    const packs = await holdfast.list('packs');
    const dry = await out('prune', '--dry-run', '-v');
    expect(dry).toContain('Would have made the following changes');
    expect(dry).toMatch(/to delete: +4 blobs/);
    expect(await holdfast.list('packs')).toEqual(packs);
    expect(await out('prune')).toMatch(/remaining: +3 blobs/);
    expect((await holdfast.list('packs')).length).toBeLessThan(packs.length);
    await holdfast.check();
  });
});

describe('copy', () => {
  it('says what it copies and what is there already', async () => {
    const ids = await snapshots(2);
    const to = new Holdfast(newPlace());
    await createOnDisk(to.place);
    const from = ['--from-repo', place.repository, '--from-password-file', join(place.home, 'password')];
    fs.writeFileSync(join(place.home, 'password'), holdfast.password);
    const first = await to.call(['copy', ...from, 'latest']);
    expect(first.stdout.toString()).toContain(`of [/data] at`);
    expect(first.stdout.toString()).toContain(`a copy of ${ids[1]!.slice(0, 8)}`);
    expect(first.stderr).toContain('different places');
    const second = await to.call(['copy', ...from]);
    expect(second.stdout.toString()).toContain('copied 1 snapshot, 1 were here already');
    expect((await to.snapshots()).length).toBe(2);
  });
});

describe('rewrite and tag', () => {
  it('make new snapshots, and say so', async () => {
    const [id] = await snapshots(1);
    expect(await out('rewrite', '--exclude', 'file *', '--dry-run')).toContain('would save a new snapshot');
    expect(await left()).toEqual([id]);
    expect(await out('rewrite', '--exclude', 'file *', '--new-host', 'new', '--forget')).toContain(
      `removed old snapshot ${id!.slice(0, 8)}`,
    );
    const [made] = await holdfast.snapshots();
    expect(made).toMatchObject({ hostname: 'new', original: id });
    expect(await out('ls', made!.id)).not.toContain('file 0');
    const [changed, summary] = await holdfast.json(['tag', '--set', 'a,b', '--set', 'c']);
    expect(changed).toMatchObject({ message_type: 'changed', old_snapshot_id: made!.id });
    expect(summary).toEqual({ message_type: 'summary', changed_snapshots: 1 });
    expect((await holdfast.snapshots())[0]).toMatchObject({ tags: ['a', 'b', 'c'], original: id });
    expect(await out('tag', '--add', 'a')).toBe('no snapshots were modified\n');
  });
});

describe('key', () => {
  it('adds, lists, changes and removes passwords', async () => {
    const file = join(place.home, 'new password');
    fs.writeFileSync(file, 'second\n');
    const added = await out('key', 'add', '--new-password-file', file, '--user', 'bob', '--host', 'there');
    const id = /ID (\w{64})/.exec(added)?.[1] ?? '';
    expect(await holdfast.json(['key', 'list'])).toContainEqual({
      ...{ current: false, id, userName: 'bob', hostName: 'there', created: expect.any(String) },
    });
    expect(await out('key', 'list')).toMatch(new RegExp(`^ ${id.slice(0, 8)}  bob +there`, 'm'));
    const second = holdfast.with({ password: 'second' }) as Holdfast;
    fs.writeFileSync(file, 'third\n');
    await second.call(['key', 'passwd', '--new-password-file', file]);
    expect((await second.try(['snapshots'])).code).toBe(12);
    const third = holdfast.with({ password: 'third' });
    const keys = await third.json(['key', 'list']);
    const current = keys.find((key) => key.current)!.id as string;
    const other = keys.find((key) => !key.current)!.id as string;
    expect((await third.try(['key', 'remove', current])).stderr).toContain('in use');
    await third.call(['key', 'remove', other.slice(0, 10)]);
    expect((await holdfast.try(['snapshots'])).code).toBe(12);
    expect((await third.json(['key', 'list'])).length).toBe(1);
  });
});
