/** Trees, snapshots, configs, keys and locks: what is refused, and what is left out. */
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/format/config.ts';
import { parseKeyFile, parseMasterKey, serializeMasterKey } from '../../../src/format/key.ts';
import { parseLock, serializeLock } from '../../../src/format/lock.ts';
import { nodesEqual, parseNode, serializeNode } from '../../../src/format/node.ts';
import { parseSnapshot, serializeSnapshot } from '../../../src/format/snapshot.ts';
import { isSafeName, parseTree, serializeTree } from '../../../src/format/tree.ts';
import type { Id, Node, Timestamp } from '../../../src/format/types.ts';
import { rawByteString } from '../../../src/util/byte-string.ts';

const ID = 'a'.repeat(64) as Id;
const TIME = '2024-01-02T03:04:05.6+01:00' as Timestamp;
const damaged = expect.objectContaining({ code: 'damaged' });
const unsupported = expect.objectContaining({ code: 'unsupported' });
const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

const NODE = { name: 'a', type: 'file', mtime: TIME, atime: TIME, ctime: TIME, uid: 1, gid: 2, content: [] };
const node = (over: object = {}): Node => parseNode({ ...NODE, ...over });

describe('nodes', () => {
  it('leave out what is empty', () => {
    expect(serializeNode(node())).toBe(
      `{"name":"a","type":"file","mtime":"${TIME}","atime":"${TIME}","ctime":"${TIME}","uid":1,"gid":2,"content":[]}`,
    );
    expect(serializeNode(node({ content: undefined }))).toContain('"content":null}');
  });

  it('have every field in its place', () => {
    const text =
      `{"name":"q\\\\\\"","type":"symlink","mode":134218239,"mtime":"${TIME}","atime":"${TIME}","ctime":"${TIME}",` +
      '"uid":1,"gid":2,"user":"\\u003c","group":"g","inode":18446744073709551615,"device_id":9007199254740993,' +
      '"size":5,"links":2,"linktarget":"\\ufffd","linktarget_raw":"/w==","extended_attributes":' +
      '[{"name":"user.a","value":"AA=="},{"name":"user.b","value":null}],"generic_attributes":{"windows.a":32,' +
      `"windows.b":{"L":1}},"device":7,"content":["${ID}"],"subtree":"${ID}","error":"e"}`;
    const tree = `{"nodes":[${text}]}\n`;
    expect(serializeTree(parseTree(Buffer.from(tree)).nodes).toString()).toBe(tree);
  });

  it('sort generic attributes as Go sorts a map', () => {
    const text = serializeNode(node({ generic_attributes: { b: 1, '\ue000': 2, '\u{1f600}': 3, a: 4 } }));
    expect(text).toContain('"generic_attributes":{"a":4,"b":1,"\ue000":2,"\u{1f600}":3}');
  });

  it.each([
    ['name', 5],
    ['name', '\\x'],
    ['type', 'door'],
    ['mode', -1],
    ['mode', 2 ** 32],
    ['mtime', 'yesterday'],
    ['ctime', undefined],
    ['uid', 1.5],
    ['user', {}],
    ['size', -1],
    ['size', 2 ** 64],
    ['size', 2n ** 64n],
    ['inode', '5'],
    ['linktarget_raw', 'a'],
    ['extended_attributes', [{ name: 1 }]],
    ['extended_attributes', [{ name: 'a', value: '!' }]],
    ['extended_attributes', {}],
    ['generic_attributes', []],
    ['content', ID],
    ['content', ['abc']],
    ['subtree', ID.toUpperCase()],
    ['error', 1],
  ])('refuse %s = %s', (field, value) => {
    expect(() => node({ [field]: value })).toThrow(damaged);
  });

  it('are equal by meaning', () => {
    const a = { name: 'a', value: 'AA==' };
    const b = { name: 'b', value: null };
    expect(nodesEqual(node(), node({ mtime: '2024-01-02T02:04:05.600Z' }))).toBe(true);
    expect(nodesEqual(node({ extended_attributes: [a, b] }), node({ extended_attributes: [b, a] }))).toBe(
      true,
    );
    expect(nodesEqual(node({ extended_attributes: [a] }), node({ extended_attributes: [b] }))).toBe(false);
    expect(nodesEqual(node({ extended_attributes: [a, b] }), node({ extended_attributes: [a, a] }))).toBe(
      false,
    );
  });

  it.each([
    { name: 'b' },
    { mode: 1 },
    { ctime: '2024-01-02T03:04:05.7+01:00' },
    { size: 1 },
    { content: null },
    { content: [ID] },
    { subtree: ID },
    { linktarget: 'x' },
    { generic_attributes: { x: 1 } },
    { error: 'x' },
  ])('differ in %o', (over) => {
    expect(nodesEqual(node(), node(over))).toBe(false);
  });
});

describe('trees', () => {
  it('are read in any order but written in order only', () => {
    const tree = parseTree(bytes({ version: 3, nodes: [{ ...NODE, name: 'b' }, NODE, NODE] }));
    expect(tree.nodes.map((n) => n.name)).toEqual(['b', 'a', 'a']);
    expect(() => serializeTree(tree.nodes)).toThrow(damaged);
    expect(() => serializeTree([node({ name: '' })])).toThrow(damaged);
    expect(serializeTree([]).toString()).toBe('{"nodes":[]}\n');
  });

  it('write a large directory as one', () => {
    const nodes = Array.from({ length: 9000 }, (_, i) => node({ name: `f${String(i).padStart(5, '0')}` }));
    const tree = serializeTree(nodes);
    expect(tree.length).toBeGreaterThan(2 ** 20);
    expect(parseTree(tree).nodes).toEqual(nodes);
  });

  it('need a list of nodes', () => {
    for (const value of [{}, [], 1, null, { nodes: {} }, { nodes: [1] }, { nodes: null }]) {
      expect(() => parseTree(bytes(value))).toThrow(damaged);
    }
  });

  it('keep hostile names, which isSafeName tells', () => {
    const names = ['..', '.', '', '../x', '/etc', 'a\\x00b'];
    const tree = parseTree(bytes({ nodes: names.map((name) => ({ ...NODE, name })) }));
    expect(tree.nodes.map((n) => isSafeName(n.name))).toEqual(names.map(() => false));
    for (const name of ['a', '...', '..a', '\\', '\xff', ' '])
      expect(isSafeName(rawByteString(name))).toBe(true);
  });
});

describe('snapshots', () => {
  it('leave out what is empty', () => {
    const snapshot = parseSnapshot(
      bytes({ time: TIME, tree: ID, paths: [], tags: [], uid: 0, parent: null }),
    );
    expect(snapshot).toEqual({ time: TIME, tree: ID, paths: [] });
    expect(serializeSnapshot({ ...snapshot, tags: [], uid: 0, hostname: '' }).toString()).toBe(
      `{"time":"${TIME}","tree":"${ID}","paths":[]}`,
    );
  });

  it.each([
    { time: undefined },
    { time: '2024' },
    { tree: undefined },
    { tree: 'abc' },
    { paths: 'x' },
    { paths: [1] },
    { tags: [null] },
    { uid: -1 },
    { summary: [] },
    { summary: {} },
    { hostname: 1 },
  ])('refuse %o', (over) => {
    expect(() => parseSnapshot(bytes({ time: TIME, tree: ID, paths: ['/'], ...over }))).toThrow(damaged);
  });
});

describe('configs', () => {
  const config = { version: 2, id: ID, chunker_polynomial: '25b468838dcb75' };

  it('refuse what no chunker can use', () => {
    expect(parseConfig(bytes(config)).chunkerPolynomial).toBe('25b468838dcb75');
    for (const chunker_polynomial of ['', '5', '45b468838dcb75', '25B468838dcb75', '125b468838dcb75']) {
      expect(() => parseConfig(bytes({ ...config, chunker_polynomial }))).toThrow(damaged);
    }
    expect(() => parseConfig(bytes({ ...config, id: 'x' }))).toThrow(damaged);
  });

  it('name a version that is too new', () => {
    expect(() => parseConfig(bytes({ ...config, version: 3 }))).toThrow(unsupported);
    expect(() => parseConfig(bytes({ ...config, version: '2' }))).toThrow(damaged);
  });
});

describe('keys', () => {
  const sealed = Buffer.alloc(40).toString('base64');
  const key = { created: TIME, kdf: 'scrypt', N: 32768, r: 8, p: 1, salt: 'AAAA', data: sealed };

  it.each([
    { N: 0 },
    { N: 32767 },
    { N: 2 ** 40 },
    { N: 2 ** 20, r: 2 ** 10 },
    { r: 0 },
    { p: 0 },
    { p: 1e6 },
    { salt: null },
    { data: 'AAAA' },
    { data: 'A' },
    { created: '' },
  ])('refuse %o', (over) => {
    expect(parseKeyFile(bytes(key)).n).toBe(32768);
    expect(() => parseKeyFile(bytes({ ...key, ...over }))).toThrow(damaged);
  });

  it('name another derivation', () => {
    expect(() => parseKeyFile(bytes({ ...key, kdf: 'argon2' }))).toThrow(unsupported);
  });

  it('hold a master key of the right lengths', () => {
    const part = (length: number): Uint8Array => new Uint8Array(length).fill(7);
    const master = { encrypt: part(32), k: part(16), r: part(16) };
    expect(parseMasterKey(serializeMasterKey(master))).toEqual(master);
    for (const wrong of [{ encrypt: part(31) }, { k: part(32) }, { r: new Uint8Array(16) }]) {
      expect(() => parseMasterKey(serializeMasterKey({ ...master, ...wrong }))).toThrow(damaged);
    }
    expect(() => parseMasterKey(bytes({ encrypt: 'AAAA' }))).toThrow(damaged);
  });
});

describe('locks', () => {
  it('tell ids of user and group where they are not root', () => {
    const lock = { time: TIME, exclusive: true, hostname: '<h>', username: 'u', pid: 5, uid: 1000, gid: 100 };
    const text = `{"time":"${TIME}","exclusive":true,"hostname":"\\u003ch\\u003e","username":"u","pid":5,"uid":1000,"gid":100}`;
    expect(serializeLock(lock).toString()).toBe(text);
    expect(parseLock(Buffer.from(text))).toEqual(lock);
  });

  it.each([{ time: null }, { exclusive: 1 }, { pid: 'x' }, { uid: -1 }])('refuse %o', (over) => {
    expect(() => parseLock(bytes({ time: TIME, exclusive: false, pid: 1, ...over }))).toThrow(damaged);
  });
});
