import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../src/api/errors.ts';
import type { RootNode } from '../../src/archiver/archiver.ts';
import { buildRoots } from '../../src/archiver/roots.ts';
import { absolutePath } from '../../src/archiver/targets.ts';
import { type ByteString, fromText, rawByteString, toText } from '../../src/util/byte-string.ts';
import { Temp } from '../helpers/temp.ts';

interface Plain {
  readonly path?: string;
  readonly explicit?: boolean;
  readonly infoPath?: string;
  readonly children?: Readonly<Record<string, Plain>>;
}

/** What restic builds in /tmp/place/w; paths are as its targets were written. */
const golden: readonly { readonly targets: readonly string[]; readonly tree: Plain }[] = JSON.parse(
  readFileSync(new URL('../golden/roots.json', import.meta.url), 'utf8'),
);

const CWD = fromText('/tmp/place/w');
const FILES = [
  'up/foo/x',
  'up/other',
  'foo/other',
  'w/foo/file',
  'w/foo/work/user1/a',
  'w/foo/work/user2/b',
  'w/foo/work/user3',
  'w/bar',
  'w/foo-1/z',
  'w/link/file',
  'w/link/work',
].map((file) => `/tmp/place/${file}`);

function readNames(folder: ByteString): ByteString[] {
  const below = FILES.filter((file) => file.startsWith(`${folder}/`));
  const names = below.map((file) => file.slice(folder.length + 1).split('/')[0] ?? '');
  return [...new Set(names)].map(fromText);
}

function plain(node: RootNode): Plain {
  const children = Object.fromEntries(
    [...node.children].map(([name, child]) => [toText(name), plain(child)]),
  );
  return {
    ...(node.path === undefined ? {} : { path: node.path }),
    ...(node.explicit ? { explicit: true } : {}),
    ...(node.infoPath === undefined ? {} : { infoPath: node.infoPath }),
    ...(node.children.size === 0 ? {} : { children }),
  };
}

function absolute(node: Plain): Plain {
  const children = Object.entries(node.children ?? {}).map(([name, child]) => [name, absolute(child)]);
  return {
    ...node,
    ...(node.path === undefined ? {} : { path: absolutePath(fromText(node.path), CWD) }),
    ...(node.infoPath === undefined ? {} : { infoPath: absolutePath(fromText(node.infoPath), CWD) }),
    ...(children.length === 0 ? {} : { children: Object.fromEntries(children) }),
  };
}

describe('roots', () => {
  it.each(golden)('lays out $targets as restic', ({ targets, tree }) => {
    const built = buildRoots(targets.map(fromText), CWD, { readNames });
    expect(plain(built)).toEqual(absolute(tree));
  });

  it('does not lose a target whose name the suffix of another took', () => {
    const built = buildRoots(['foo', '../foo', '../foo-1'].map(fromText), CWD, { readNames });
    const paths = [...built.children.values()].map((child) => child.path);
    expect(paths).toEqual(['/tmp/place/w/foo', '/tmp/place/foo', '/tmp/place/foo-1']);
  });

  it('reads the disk, links and names that are no text included', () => {
    using temp = new Temp();
    const dir = temp.dir();
    mkdirSync(`${dir}/real`);
    symlinkSync('real', `${dir}/link`);
    writeFileSync(Buffer.from(`${dir}/real/\xff`, 'latin1'), '');
    const built = buildRoots(['link', 'link/x'].map(fromText), fromText(dir));
    const link = built.children.get(fromText('link'));
    expect(link?.path).toBeUndefined();
    expect([...(link?.children.keys() ?? [])].sort()).toEqual(['x', '\xff']);
    expect(link?.children.get(rawByteString('\xff'))?.path).toBe(`${dir}/link/\xff`);
  });

  it('tells when a folder that must be listed is not there', () => {
    using temp = new Temp();
    const build = () => buildRoots(['gone', 'gone/x'].map(fromText), fromText(temp.dir()));
    expect(build).toThrow(EngineError);
  });
});
