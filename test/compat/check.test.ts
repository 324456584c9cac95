import type { Buffer } from 'node:buffer';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CliPlace } from '../helpers/cli.ts';
import { harmedCopy, makeOriginal, type Original } from '../helpers/damaged-copy.ts';
import { HARMS, type Harm } from '../helpers/harms.ts';
import { Holdfast } from '../helpers/holdfast.ts';
import { Restic } from '../helpers/restic.ts';
import { useSharedTemp, useTemp } from '../helpers/scope.ts';
import { hasTool, requireTool } from '../helpers/tools.ts';

const shared = useSharedTemp();
const temp = useTemp();

beforeEach((context) => requireTool(context, 'restic'));

describe.each([1, 2] as const)('a repository of version %i', (version) => {
  let original: Original;
  beforeAll(async () => {
    if (hasTool('restic')) original = await makeOriginal(shared, version);
  });

  it.each(HARMS)('with $name is judged alike by restic, and the fault is named', async (harm) => {
    const { place, named } = harmedCopy(original, temp, harm);
    const ours = await new Holdfast(place).try(['check', '--read-data']);
    expect([0, 1]).toContain(ours.code);
    expect(ours.code === 0).toBe(harm.clean === true);
    if (named) expect(ours.stderr).toContain(named);
    for (const restic of judges(place, harm, version)) {
      const theirs = await restic.try(['check', '--read-data']);
      expect(theirs.code === 0).toBe(ours.code === 0);
    }
  });

  it('gives the fields of restic as JSON', async () => {
    const pack = original.dataPack;
    const harm = HARMS.find(({ name }) => name === 'a flipped bit in a data pack')!;
    const { place } = harmedCopy(original, temp, harm);
    const { code, stdout, stderr } = await new Holdfast(place).try(['check', '--read-data', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout.toString())).toEqual({
      message_type: 'summary',
      num_errors: 1,
      broken_packs: [pack],
      suggest_repair_index: false,
      suggest_prune: false,
    });
    const [error, exit] = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(error).toEqual({ message_type: 'error', message: expect.stringContaining(pack) });
    expect(exit).toMatchObject({ message_type: 'exit_error', code: 1 });
  });
});

/** The restic of the system, where it does not take minutes, and a newer one where there is one. */
function judges(place: CliPlace, { slowInOldRestic }: Harm, version: 1 | 2): Restic[] {
  const patient = slowInOldRestic === undefined || (slowInOldRestic === 'minute' && version === 2);
  return [...(patient ? [new Restic(place)] : []), ...(hasTool('restic-new') ? [Restic.newer(place)] : [])];
}

describe('list and cat', () => {
  it('print what restic prints', async () => {
    const { cli } = await makeOriginal(temp, 2);
    const ours = new Holdfast(cli.place);
    for (const what of ['packs', 'index', 'snapshots', 'keys', 'blobs']) {
      const [mine, theirs] = [await ours.call(['list', what]), await cli.call(['list', what])];
      expect(sorted(mine.stdout)).toEqual(sorted(theirs.stdout));
    }
    const [snapshot] = await cli.snapshots();
    const [index] = await cli.list('index');
    const [key] = await cli.list('keys');
    const [pack] = await cli.packsOf('data');
    const { stdout: blobs } = await cli.call(['list', 'blobs']);
    const trees = [...blobs.toString().matchAll(/^tree ([0-9a-f]{64})$/gm)].map(([, id]) => id!);
    const wanted = [
      ['config'],
      ['masterkey'],
      ['key', key!],
      ['snapshot', snapshot!.id],
      ['index', index!],
      ['pack', pack!],
      ['blob', trees[0]!],
    ];
    for (const args of wanted) {
      const [mine, theirs] = [await ours.call(['cat', ...args]), await cli.call(['cat', ...args])];
      // restic 0.14 ends an index with one newline more.
      expect(trimmed(mine.stdout)).toBe(trimmed(theirs.stdout));
    }
    const folder = await ours.call(['cat', 'tree', `${snapshot!.id}:/docs/deep`]);
    expect(JSON.parse(folder.stdout.toString()).nodes.map((n: { name: string }) => n.name)).toEqual([
      'c',
      'link',
    ]);
    const root = await ours.call(['cat', 'tree', snapshot!.id.slice(0, 8)]);
    const blob = await cli.call(['cat', 'blob', snapshot!.tree]);
    expect(root.stdout.equals(blob.stdout)).toBe(true);
  });
});

function sorted(stdout: Buffer): readonly string[] {
  return stdout.toString().trim().split('\n').sort();
}

function trimmed(stdout: Buffer): string {
  return stdout.toString('latin1').trimEnd();
}
