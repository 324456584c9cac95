/**
 * From paths to the ids of folders. Two writers, or one that heard no answer, can make the same folder twice: then both hold files, so
 * a path leads to all of them, and new files go into the oldest.
 */
import { orAbort, throwIfAborted } from '../calls.ts';
import type { Item, Items } from './items.ts';

type Ids = readonly string[];

/** Parents in one query: more is refused as too complex. */
export const MOST_PARENTS = 50;

export class Folders {
  readonly #items: Items;
  /** By path; never an empty one, for others make folders too. */
  readonly #known = new Map<string, Ids>();
  /** Those that we made ourselves: lists may not show them yet. */
  readonly #made = new Map<string, Ids>();
  readonly #making = new Map<string, Promise<Ids>>();
  readonly #explored = new Map<string, Promise<void>>();

  constructor(items: Items) {
    this.#items = items;
  }

  /** The oldest first; none: there is no such folder. `fresh`: what was known before is not trusted. */
  async find(
    path: readonly string[],
    o: { readonly signal?: AbortSignal | undefined; readonly fresh?: boolean } = {},
  ): Promise<Ids> {
    const name = path.at(-1);
    if (name === undefined) return [this.#items.top];
    const known = this.#known.get(keyOf(path));
    if (known !== undefined && !o.fresh) return known;
    const parents = await this.find(path.slice(0, -1), o);
    const found = await this.#named(parents, name, o.signal);
    return this.#note(path, found);
  }

  /** All folders in the folders at a path, by name; and they are known from then on. */
  async within(path: readonly string[], signal: AbortSignal | undefined): Promise<ReadonlyMap<string, Ids>> {
    const parents = await this.find(path, { signal, fresh: true });
    const byName = Map.groupBy(await this.#children(parents, undefined, signal), ({ name }) => name);
    const ids = new Map([...byName].map(([name, items]) => [name, oldestFirst(items)] as const));
    for (const [name, found] of ids) this.#note([...path, name], found);
    return ids;
  }

  /** The id of the folder that takes new files; it is made if it is not there. */
  async ensure(path: readonly string[], signal: AbortSignal | undefined): Promise<string> {
    throwIfAborted(signal);
    const key = keyOf(path);
    const known = this.#known.get(key)?.[0];
    if (known !== undefined) return known;
    let making = this.#making.get(key);
    if (making === undefined) {
      // Others may wait for it too: one's abort must not end it.
      making = this.#make(path).finally(() => this.#making.delete(key));
      making.catch(() => undefined);
      this.#making.set(key, making);
    }
    const [id = ''] = await orAbort(making, signal);
    return id;
  }

  /** Nothing is taken for known any more. */
  forget(): void {
    this.#known.clear();
    this.#made.clear();
    this.#explored.clear();
  }

  async #make(path: readonly string[]): Promise<Ids> {
    const name = path.at(-1);
    if (name === undefined) return [this.#items.top];
    const above = path.slice(0, -1);
    const parent = await this.ensure(above, undefined);
    await this.#explore(above);
    const found = await this.find(path);
    if (found.length > 0) return found;
    const { id } = await this.#items.makeFolder(name, parent);
    this.#made.set(keyOf(path), [id]);
    return this.#note(path, [id]);
  }

  /** Once: packs lie in 256 folders, which one query tells all. */
  async #explore(path: readonly string[]): Promise<void> {
    const key = keyOf(path);
    const exploring = this.#explored.get(key) ?? this.within(path, undefined).then(() => undefined);
    this.#explored.set(key, exploring);
    try {
      await exploring;
    } catch (e) {
      this.#explored.delete(key);
      throw e;
    }
  }

  async #named(parents: Ids, name: string, signal: AbortSignal | undefined): Promise<Ids> {
    return oldestFirst(await this.#children(parents, name, signal));
  }

  async #children(parents: Ids, name: string | undefined, signal: AbortSignal | undefined): Promise<Item[]> {
    const found: Item[] = [];
    for (let i = 0; i < parents.length; i += MOST_PARENTS) {
      const some = parents.slice(i, i + MOST_PARENTS);
      const search = { parents: some, kind: 'folder', ...(name === undefined ? {} : { name }) } as const;
      found.push(...(await this.#items.all(search, signal)));
    }
    return found;
  }

  /** What is known from then on. */
  #note(path: readonly string[], found: Ids): Ids {
    const key = keyOf(path);
    const ids = found.length > 0 ? found : (this.#made.get(key) ?? []);
    if (ids.length > 0) this.#known.set(key, ids);
    else this.#known.delete(key);
    return ids;
  }
}

function keyOf(path: readonly string[]): string {
  return path.join('/');
}

function oldestFirst(items: readonly Item[]): Ids {
  const order = (a: Item, b: Item) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);
  return [...items].sort(order).map(({ id }) => id);
}
