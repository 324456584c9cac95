/**
 * Two small languages of Drive, as its reference tells them, and strict.
 *
 * query    `'<id>' in parents and (name = 'it\'s' or not mimeType != '…') and trashed = false`
 * fields   which parts of an answer are wanted: `nextPageToken,files(id,name,shortcutDetails/targetId)`
 */

/** A file as queries see it. */
export interface Queried {
  readonly name: string;
  readonly mimeType: string;
  readonly trashed: boolean;
  readonly parents: readonly string[];
  readonly modifiedTime: string;
}

export class Malformed extends Error {}
/** More terms than Drive takes. */
export class TooComplex extends Error {}

type Test = (file: Queried) => boolean;

const TOKEN = /\s*(?:('(?:[^'\\]|\\.)*')|(!=|<=|>=|=|<|>|\(|\))|([A-Za-z]+))/y;
/** Holdfast asks for 50 at most; Drive's own bound is told nowhere. */
const MOST_PARENTS = 50;

class Parser {
  readonly #tokens: readonly string[];
  #at = 0;
  parents = 0;

  constructor(text: string) {
    const tokens: string[] = [];
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < text.trimEnd().length) {
      const found = TOKEN.exec(text);
      if (found === null) throw new Malformed(`Invalid Value: q: ${text}`);
      tokens.push(found[0].trim());
    }
    this.#tokens = tokens;
  }

  whole(): Test {
    const test = this.#or();
    if (this.#at < this.#tokens.length) throw new Malformed(`Invalid Value: q: ${this.#tokens[this.#at]}`);
    return test;
  }

  #or(): Test {
    let left = this.#and();
    while (this.#take('or')) {
      const [a, b] = [left, this.#and()];
      left = (file) => a(file) || b(file);
    }
    return left;
  }

  #and(): Test {
    let left = this.#not();
    while (this.#take('and')) {
      const [a, b] = [left, this.#not()];
      left = (file) => a(file) && b(file);
    }
    return left;
  }

  #not(): Test {
    if (this.#take('not')) {
      const inner = this.#not();
      return (file) => !inner(file);
    }
    if (!this.#take('(')) return this.#term();
    const inner = this.#or();
    if (!this.#take(')')) throw new Malformed('Invalid Value: q: no )');
    return inner;
  }

  #term(): Test {
    const first = this.#next();
    if (first.startsWith("'")) return this.#parent(unquoted(first));
    const [operator, value] = [this.#next(), this.#next()];
    if (first === 'trashed') return this.#trashed(operator, value);
    if (first !== 'name' && first !== 'mimeType' && first !== 'modifiedTime') {
      throw new Malformed(`Invalid Value: q: ${first}`);
    }
    const wanted = unquoted(value);
    if (operator === '=') return (file) => file[first] === wanted;
    if (operator === '!=') return (file) => file[first] !== wanted;
    if (operator === '>' && first === 'modifiedTime') return (file) => file.modifiedTime > wanted;
    throw new Malformed(`Invalid Value: q: ${operator}`);
  }

  #parent(id: string): Test {
    if (this.#next() !== 'in' || this.#next() !== 'parents') throw new Malformed('Invalid Value: q: in');
    if (++this.parents > MOST_PARENTS) throw new TooComplex('The query is too complex.');
    return (file) => file.parents.includes(id);
  }

  #trashed(operator: string, value: string): Test {
    if (!['=', '!='].includes(operator) || !['true', 'false'].includes(value))
      throw new Malformed('Invalid Value: q: trashed');
    const wanted = (value === 'true') === (operator === '=');
    return (file) => file.trashed === wanted;
  }

  #next(): string {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new Malformed('Invalid Value: q: it ends too early');
    return token;
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at++;
    return true;
  }
}

function unquoted(token: string): string {
  if (!token.startsWith("'")) throw new Malformed(`Invalid Value: q: ${token} is not quoted`);
  return token.slice(1, -1).replace(/\\(.)/g, '$1');
}

/** Errors: Malformed, TooComplex. */
export function parseQuery(text: string): Test {
  return new Parser(text).whole();
}

/** Ids of the folders that a query names; those that nobody knows are an error of the service. */
export function parentsIn(text: string): readonly string[] {
  return [...text.matchAll(/'([^']*)' in parents/g)].map(([, id = '']) => id);
}

/** Names to take; 'all' below a name: the whole of it. */
export type Mask = { readonly [name: string]: Mask | 'all' };

/** Errors: Malformed, for names that `known` lacks too. */
export function parseFields(text: string, known: ReadonlySet<string>): Mask {
  let at = 0;
  const list = (): Mask => {
    const mask: Record<string, Mask | 'all'> = {};
    do {
      const [name = ''] = /^[\w*/]+/.exec(text.slice(at)) ?? [];
      const bad = name.split('/').find((part) => part !== '*' && !known.has(part));
      if (name === '' || bad !== undefined) throw new Malformed(`Invalid field selection ${bad ?? text}`);
      at += name.length;
      mask[name.split('/')[0] ?? ''] = text[at] === '(' ? within() : 'all';
    } while (text[at] === ',' && ++at);
    return mask;
  };
  const within = (): Mask => {
    at++;
    const mask = list();
    if (text[at++] !== ')') throw new Malformed(`Invalid field selection ${text}`);
    return mask;
  };
  const mask = list();
  if (at < text.length) throw new Malformed(`Invalid field selection ${text}`);
  return mask;
}

export function masked(value: unknown, mask: Mask | 'all'): unknown {
  if (mask === 'all' || '*' in mask || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => masked(one, mask));
  const entries = Object.entries(value).flatMap(([name, inner]) => {
    const below = mask[name];
    return below === undefined ? [] : [[name, masked(inner, below)] as const];
  });
  return Object.fromEntries(entries);
}
