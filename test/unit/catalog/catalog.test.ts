import * as fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Catalog, type CatalogVersion } from '../../../src/catalog/catalog.ts';
import { Filling } from '../../../src/catalog/filling.ts';
import { type NodeState, sameState, stateOf } from '../../../src/catalog/node-state.ts';
import { pastOf, search } from '../../../src/catalog/searching.ts';
import { sha256 } from '../../../src/format/hash.ts';
import { parseTree } from '../../../src/format/tree.ts';
import type { Id } from '../../../src/format/types.ts';
import { toText } from '../../../src/util/byte-string.ts';
import { useTemp } from '../../helpers/scope.ts';
import { type Plant, Trees } from './trees.ts';

const temp = useTemp();

interface Version {
  readonly id: Id;
  readonly at: number;
  readonly line: string;
  readonly root: Id;
  readonly planId: string | null;
  /** Every path that it has. */
  readonly paths: ReadonlyMap<string, NodeState>;
}

/** A signal that stops the work at its n-th look. */
function stopAfter(looks: number, onStop = () => {}): AbortSignal {
  let left = looks;
  const throwIfAborted = () => {
    if (left-- > 0) return;
    onStop();
    throw new Error('stopped');
  };
  return { aborted: false, throwIfAborted } as AbortSignal;
}

const never = new AbortController().signal;

/** A catalog, what there is to be known, and what a plain walk over all of it says. */
class World {
  readonly trees = new Trees();
  readonly versions = new Map<Id, Version>();
  readonly known = new Set<string>();
  readonly folder: string;
  path: string;
  catalog: Catalog;
  #count = 0;

  constructor(home: string) {
    this.folder = fs.mkdtempSync(join(home, 'world-'));
    this.path = join(this.folder, '0.db');
    this.catalog = new Catalog(this.path);
  }

  async add(line: string, at: number, folder: { readonly [name: string]: Plant }): Promise<Version> {
    const root = this.trees.plant(folder);
    const id = sha256(Buffer.from(`version ${this.#count++}`));
    const paths = new Map<string, NodeState>();
    await this.#walk(root, '', paths);
    const version = { id, at, line, root, planId: line, paths };
    this.versions.set(id, version);
    for (const path of paths.keys()) this.known.add(path);
    return version;
  }

  async #walk(tree: Id, above: string, paths: Map<string, NodeState>): Promise<void> {
    for (const node of parseTree(await this.trees.load(tree)).nodes) {
      const path = `${above}/${toText(node.name)}`;
      paths.set(path, stateOf(node));
      if (node.subtree) await this.#walk(node.subtree, path, paths);
    }
  }

  /** As the host does it. `order` says which version comes next, where it is not the newest. */
  async fill(signal: AbortSignal = never, order?: (left: readonly Id[]) => Id | undefined): Promise<void> {
    const o = { signal, onProgress: () => {}, onUnreadable: () => {}, batch: 3 };
    const filling = new Filling(this.catalog, this.trees, o);
    this.catalog.keepOnly(new Set(this.versions.keys()));
    let more = true;
    while (more) {
      await filling.clean();
      this.catalog.add([...this.versions.values()]);
      more = await filling.step(this.catalog.goneVersions().length > 0 ? undefined : order?.(this.left()));
    }
    await filling.sweep();
  }

  /** Those that are not in. */
  left(): readonly Id[] {
    const taken = new Set(this.taken().map(({ id }) => id));
    return [...this.versions.keys()].filter((id) => !taken.has(id));
  }

  /** Those that are in as a whole. */
  taken(): readonly CatalogVersion[] {
    const half = this.catalog.next()?.version.id;
    const seen = [...this.catalog.lines.values()].flatMap(({ line }) =>
      line.versions.filter((v) => v.visible),
    );
    return seen.filter(({ id }) => id !== half);
  }

  /** What a kill leaves at this moment, opened by the next process. */
  kill(): () => void {
    const copy = join(this.folder, `${fs.readdirSync(this.folder).length}.db`);
    for (const end of ['', '-wal'])
      if (fs.existsSync(this.path + end)) fs.copyFileSync(this.path + end, copy + end);
    return () => {
      this.catalog.close();
      this.path = copy;
      this.catalog = new Catalog(copy);
    };
  }

  close(): void {
    this.catalog.close();
    fs.rmSync(this.folder, { recursive: true });
  }

  /** What the catalog says of a path in each line. */
  past(line: number, path: string): readonly unknown[] {
    return pastOf(this.catalog, line, path.split('/').slice(1)).map(({ state, first, last, versions }) => [
      first.id,
      last.id,
      versions,
      plain(state),
    ]);
  }

  /** The same by looking into each version. */
  trulyPast(versions: readonly Version[], path: string): readonly unknown[] {
    const runs: { state: NodeState; ids: Id[] }[] = [];
    let before: NodeState | undefined;
    for (const { id, paths } of versions) {
      const state = paths.get(path);
      if (state && before && sameState(state, before)) runs.at(-1)!.ids.push(id);
      else if (state) runs.push({ state, ids: [id] });
      before = state;
    }
    return runs.map(({ state, ids }) => [ids[0], ids.at(-1), ids.length, plain(state)]).reverse();
  }

  /** Every path in every line, as far as the versions are in. A line whose only version is half in is part of the truth. */
  expectTrue(): void {
    for (const { id, line } of this.catalog.lines.values()) {
      const taken = line.versions.filter((version) => version.visible);
      const half = line.versions.length === 1 && this.left().includes(line.versions[0]!.id);
      const versions = taken.map((version) => this.versions.get(version.id)).filter((v) => v !== undefined);
      if (versions.length < taken.length || half) continue;
      for (const path of this.known) {
        expect(this.past(id, path), `${path} in line ${id}`).toEqual(this.trulyPast(versions, path));
      }
    }
  }

  /** Paths that a search finds, with what it says of them, and those that it should. */
  async expectFound(text: string): Promise<void> {
    const { hits } = await search(this.catalog, { text, limit: 1000 });
    const found = hits.map((hit) => [
      `/${hit.names.join('/')}`,
      hit.version.id,
      hit.states,
      hit.gone,
      plain(hit.state),
    ]);
    const wanted: unknown[] = [];
    for (const own of Map.groupBy(this.versions.values(), (v) => v.line).values()) {
      const versions = own.toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
      for (const path of this.known) {
        const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
        const runs = this.trulyPast(versions, path) as [Id, Id, number, unknown][];
        if (!name.includes(text) || runs.length === 0) continue;
        const [[, last, , state]] = runs as [[Id, Id, number, unknown]];
        wanted.push([path, last, runs.length, last !== versions.at(-1)!.id, state]);
      }
    }
    expect(found.map(String).sort()).toEqual(wanted.map(String).sort());
  }
}

function plain({ kind, size, mtime, content }: NodeState): string {
  return [kind, size, mtime, content].join();
}

const name = fc.constantFrom('a', 'B.txt', 'abc.txt', 'deep');
const folder = fc.letrec<{ folder: { readonly [name: string]: Plant }; plant: Plant }>((tie) => ({
  folder: fc.dictionary(name, tie('plant'), { maxKeys: 3 }),
  plant: fc.oneof({ maxDepth: 3, depthSize: 'small' }, fc.integer({ min: 0, max: 2 }), tie('folder')),
})).folder;

const event = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('add' as const), line: fc.nat(1), at: fc.nat(9), folder }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('forget' as const), which: fc.nat(20) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('stop' as const), after: fc.nat(25), order: fc.nat(20) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('kill' as const), after: fc.nat(25), order: fc.nat(20) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fill' as const), order: fc.nat(20) }) },
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

function nth(order: number): (left: readonly Id[]) => Id | undefined {
  return (left) => (left.length === 0 ? undefined : left[order % left.length]);
}

async function live(world: World, e: Event): Promise<void> {
  switch (e.do) {
    case 'add':
      await world.add(`line ${e.line}`, e.at, e.folder);
      return;
    case 'forget': {
      const id = nth(e.which)([...world.versions.keys()]);
      if (id) world.versions.delete(id);
      return;
    }
    case 'fill':
      return world.fill(never, nth(e.order));
    case 'stop':
      return world.fill(stopAfter(e.after), nth(e.order)).catch(expectStopped);
    case 'kill': {
      let reopen = () => {};
      const signal = stopAfter(e.after, () => {
        reopen = world.kill();
      });
      await world.fill(signal, nth(e.order)).catch(expectStopped);
      reopen();
    }
  }
}

function expectStopped(e: unknown): void {
  expect(String(e)).toContain('stopped');
}

describe('a catalog', () => {
  it('says what looking into every version says, whatever comes, goes and stops in between', async () => {
    const home = temp.dir('catalog');
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 14 }), async (events) => {
        const world = new World(home);
        try {
          for (const e of events) {
            await live(world, e);
            world.expectTrue();
          }
          await world.fill();
          expect(world.left()).toEqual([]);
          expect(world.taken()).toHaveLength(world.versions.size);
          world.expectTrue();
          for (const text of ['a', 'abc', '.txt', 'dee', 'zzz']) await world.expectFound(text);
        } finally {
          world.close();
        }
      }),
      { numRuns: 200 },
    );
  });
});
