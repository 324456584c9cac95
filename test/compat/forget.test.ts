/** The same snapshots, the same rules: restic and Holdfast keep and remove the same, for the same reasons. */
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Snapshot, Timestamp } from '../../src/format/types.ts';
import { createOnDisk, withOnDisk } from '../helpers/disk-repository.ts';
import { Holdfast } from '../helpers/holdfast.ts';
import { saveTree } from '../helpers/repo.ts';
import { Restic } from '../helpers/restic.ts';
import { useTemp } from '../helpers/scope.ts';
import { hasTool, requireTool } from '../helpers/tools.ts';

const temp = useTemp();
beforeEach((context) => requireTool(context, 'restic'));

/** A moment in one of a few zones, more often close to another one than not. */
const arbTime = fc
  .record({
    day: fc.oneof(fc.nat(5), fc.nat(60), fc.nat(1500)),
    minute: fc.nat(24 * 60 - 1),
    zone: fc.constantFrom('Z', '+02:00', '-05:30'),
  })
  .map(({ day, minute, zone }) => {
    const local = new Date(Date.UTC(2019, 11, 28) + day * 86_400_000 + minute * 60_000).toISOString();
    return `${local.slice(0, 19)}.000000001${zone}` as Timestamp;
  });

const arbSnapshot: fc.Arbitrary<Omit<Snapshot, 'tree'>> = fc.record({
  time: arbTime,
  hostname: fc.constantFrom('one', 'two'),
  paths: fc.constantFrom(['/a'], ['/b', '/a']),
  tags: fc.constantFrom([], ['x'], ['y', 'x']),
});

const count = fc.integer({ min: 1, max: 6 }).map(String);
const span = fc.constantFrom('1h', '2d', '14d', '3m', '1y2m');
const RULES = {
  ...{ '--keep-last': count, '--keep-hourly': count, '--keep-daily': count, '--keep-weekly': count },
  ...{ '--keep-monthly': count, '--keep-yearly': count, '--keep-within': span },
  ...{ '--keep-within-hourly': span, '--keep-within-daily': span, '--keep-within-weekly': span },
  ...{
    '--keep-within-monthly': span,
    '--keep-within-yearly': span,
    '--keep-tag': fc.constantFrom('x', 'x,y'),
  },
} as const;

/** restic 0.14 decides these as newer ones do; of the others those also keep the oldest snapshot. */
const ALIKE = ['--keep-last', '--keep-within', '--keep-tag'] as const;
const rulesToTry: fc.Arbitrary<Readonly<Record<string, string | undefined>>> = hasTool('restic-new')
  ? fc.record(RULES, { requiredKeys: [] })
  : fc.record(Object.fromEntries(ALIKE.map((name) => [name, RULES[name]])), { requiredKeys: [] });

/** A few rules; always one that leaves something of each group, for the others are refused. */
const arbRules = fc
  .tuple(count, rulesToTry, fc.constantFrom('host', 'host,paths', 'paths,tags', ''))
  .map(([last, rules, groupBy]) => [
    ...Object.entries({ '--keep-last': last, ...rules }).flat(),
    ...['--group-by', groupBy],
  ]);

type Group = Readonly<Record<'host' | 'paths' | 'tags' | 'keep' | 'remove' | 'reasons', unknown>>;

/** What does not depend on the order of equal moments and of groups. */
function decided(groups: readonly Group[]) {
  const ids = (list: unknown) => ((list ?? []) as { id: string }[]).map((s) => s.id).sort();
  // By their times, which are all different: restic 0.14 leaves out the ids here.
  const reasons = (list: unknown) =>
    ((list ?? []) as { snapshot: { time: string }; matches: string[] }[])
      .map((r) => [r.snapshot.time, ...r.matches].join())
      .sort();
  return groups
    .map(({ host, paths, tags, keep, remove, reasons: why }) =>
      JSON.stringify({ host, paths, tags, keep: ids(keep), remove: ids(remove), why: reasons(why) }),
    )
    .sort();
}

describe('forget', () => {
  it('decides as restic does, whatever the snapshots and the rules', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(arbSnapshot, { minLength: 1, maxLength: 25, selector: (s) => s.time.slice(0, 16) }),
        fc.array(arbRules, { minLength: 3, maxLength: 3 }),
        async (snapshots, rules) => {
          const home = temp.dir('home');
          const place = { home, repository: join(home, 'repository') };
          await createOnDisk(place);
          await withOnDisk(place, async (repo) => {
            const tree = await saveTree(await repo.loadIndex(), { file: 'content' });
            for (const s of snapshots) await repo.saveSnapshot({ ...s, tree });
          });
          const judge = hasTool('restic-new') ? Restic.newer(place) : new Restic(place);
          for (const some of rules) {
            const args = ['forget', '--dry-run', '--no-lock', ...some];
            const [ours, theirs] = await Promise.all([new Holdfast(place).json(args), judge.json(args)]);
            expect(decided(ours as never)).toEqual(decided(theirs as never));
          }
          temp.clear();
        },
      ),
      { numRuns: 8 },
    );
  });

  it('removes what it said, and restic agrees with what is left', async () => {
    const home = temp.dir('home');
    const place = { home, repository: join(home, 'repository') };
    await createOnDisk(place);
    await withOnDisk(place, async (repo) => {
      const tree = await saveTree(await repo.loadIndex(), { file: 'content' });
      for (let day = 10; day < 30; day++) {
        const time = `2024-02-${day}T12:00:00Z` as Timestamp;
        await repo.saveSnapshot({ time, tree, paths: ['/a'], hostname: 'one' });
      }
    });
    const restic = new Restic(place);
    const before = await restic.snapshots();
    const args = ['forget', '--keep-daily', '3', '--keep-weekly', '2'];
    const [said] = await new Holdfast(place).json([...args, '--dry-run']);
    expect((await restic.snapshots()).length).toBe(before.length);
    await new Holdfast(place).call(args);
    const kept = (said!.keep as { id: string }[]).map((s) => s.id).sort();
    expect((await restic.snapshots()).map((s) => s.id).sort()).toEqual(kept);
    await new Holdfast(place).call(['forget', kept[0]!.slice(0, 10)]);
    expect((await restic.snapshots()).map((s) => s.id).sort()).toEqual(kept.slice(1));
  });
});
