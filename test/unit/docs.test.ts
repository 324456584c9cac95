/** The documents say what is true of the code, as far as a machine can tell. */
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandDocs } from '../../scripts/command-docs.ts';
import { ERROR_CODES } from '../../src/api/errors.ts';
import type { Registry } from '../../src/cli/command.ts';
import { registry } from '../../src/cli/registry.ts';

const root = path.join(import.meta.dirname, '..', '..');
const read = (file: string): string => fs.readFileSync(path.join(root, file), 'utf8');

/** Every Markdown file that is the project's own. */
const documents = [
  ...fs.readdirSync(root).filter((name) => name.endsWith('.md')),
  ...fs
    .readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.join('docs', name)),
];

/** Text without code, where brackets are not links and a # begins no heading. */
function prose(markdown: string): string {
  return markdown
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, ''));
}

/** Targets of links and pictures, in Markdown and in HTML, that point into the project. */
function linksOf(markdown: string): readonly string[] {
  const text = prose(markdown);
  const found = [...text.matchAll(/\]\(([^)\s]+)\)/g), ...text.matchAll(/\b(?:href|src|srcset)="([^"]+)"/g)];
  return found.map((match) => match[1] ?? '').filter((target) => !/^[a-z]+:/i.test(target));
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(markdown: string): readonly string[] {
  const headings = prose(markdown).matchAll(/^#{1,6} +(.+)$/gm);
  return [...headings].map(([, heading = '']) =>
    heading
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );
}

function brokenLinks(document: string): readonly string[] {
  return linksOf(read(document)).filter((link) => {
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? document : path.join(path.dirname(document), decodeURIComponent(file));
    if (!fs.existsSync(path.join(root, target))) return true;
    return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
  });
}

describe('links', () => {
  it.each(documents)('of %s lead to something', (document) => {
    expect(brokenLinks(document)).toEqual([]);
  });
});

describe('docs/errors.md', () => {
  const headings = [...read('docs/errors.md').matchAll(/^## `(.+)`$/gm)].map((match) => match[1]);

  it('has a heading for every code, in the order of the codes, and no other', () => {
    expect(headings).toEqual([...ERROR_CODES]);
  });
});

describe('docs/commands.md', () => {
  const page = read('docs/commands.md');

  function namesOf(entries: Registry, above = ''): readonly string[] {
    return Object.entries(entries)
      .filter(([, entry]) => entry.hidden !== true)
      .flatMap(([name, entry]) => [
        above + name,
        ...(entry.kind === 'group' ? namesOf(entry.entries, `${above}${name} `) : []),
      ]);
  }

  it.each(namesOf(registry))('tells of %s', (name) => {
    expect(page).toMatch(new RegExp(`^#+ ${name}$`, 'm'));
  });

  it('is up to date: run `node scripts/command-docs.ts` otherwise', async () => {
    expect(page).toBe(await commandDocs(registry));
  });
});

describe('the picture of the rooms in docs/architecture.md', () => {
  interface Rule {
    readonly name: string;
    readonly to: { readonly pathNot?: string };
  }

  /** Room → rooms that the machine lets it import. */
  function allowed(): ReadonlyMap<string, ReadonlySet<string>> {
    const config = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
      readonly forbidden: readonly Rule[];
    };
    return new Map(
      config.forbidden
        .filter((rule) => rule.name.endsWith('-imports-only'))
        .map((rule) => {
          const room = rule.name.replace('-imports-only', '');
          const rooms = /\((.+)\)/.exec(rule.to.pathNot ?? '')?.[1]?.split('|') ?? [];
          return [room, new Set(rooms.filter((r) => r !== room))] as const;
        }),
    );
  }

  function drawn(): ReadonlyMap<string, ReadonlySet<string>> {
    const picture = /^```mermaid\n([\s\S]+?)^```$/m.exec(read('docs/architecture.md'))?.[1] ?? '';
    const arrows = new Map<string, Set<string>>();
    for (const [, from = '', to = ''] of picture.matchAll(/^\s*([a-z &]+) --> ([a-z &]+)$/gm)) {
      for (const room of from.split(' & ')) {
        arrows.set(room, new Set([...(arrows.get(room) ?? []), ...to.split(' & ')]));
      }
    }
    return arrows;
  }

  function reachable(arrows: ReadonlyMap<string, ReadonlySet<string>>, from: string): ReadonlySet<string> {
    const seen = new Set<string>(arrows.get(from));
    // A set may grow while it is gone through.
    for (const room of seen) for (const to of arrows.get(room) ?? []) seen.add(to);
    return seen;
  }

  it('has only arrows that the import rules allow', () => {
    const rules = allowed();
    const engine = [...drawn()].filter(([room]) => rules.has(room));
    const wrong = engine.flatMap(([room, to]) => [...to].filter((r) => !rules.get(room)?.has(r)));
    expect(engine.length).toBeGreaterThan(5);
    expect(wrong).toEqual([]);
  });

  it('shows a way for every import that the rules allow', () => {
    const arrows = drawn();
    const lacking = [...allowed()].flatMap(([room, rooms]) =>
      [...rooms].filter((to) => !reachable(arrows, room).has(to)).map((to) => `${room} --> ${to}`),
    );
    expect(lacking).toEqual([]);
  });
});
