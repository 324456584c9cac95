import { describe, expect, it } from 'vitest';
import { createMemory } from '../../../src/backend/memory/memory.ts';
import { parseLocation, redactLocation, type SchemeTable } from '../../../src/backend/registry.ts';

const make = async () => createMemory();
const table: SchemeTable = [
  { scheme: 'local', title: 'Folder or disk', remote: false, open: make, create: make },
  { scheme: 'sftp', title: 'Server', remote: false, open: make, create: make },
];

describe('parseLocation', () => {
  it.each([
    ['/srv/repo', 'local', '/srv/repo'],
    ['repo', 'local', 'repo'],
    ['./a:b', 'local', './a:b'],
    ['/mnt/s3:x', 'local', '/mnt/s3:x'],
    ['C:\\repo', 'local', 'C:\\repo'],
    ['local:/srv/a:b', 'local', '/srv/a:b'],
    ['LOCAL:x', 'local', 'x'],
    ['local:s3:x', 'local', 's3:x'],
    ['sftp:u@h:/p', 'sftp', 'u@h:/p'],
  ])('reads %s', (text, scheme, target) => {
    const l = parseLocation(text, table);
    expect([l.scheme.scheme, l.target]).toEqual([scheme, target]);
  });

  it('tells what it does not know', () => {
    expect(() => parseLocation('s3:s3.example.org/b', table)).toThrow(
      expect.objectContaining({ code: 'unsupported', hint: expect.stringContaining('local, sftp') }),
    );
  });

  it.each(['', 'local:'])('refuses %j', (text) => {
    expect(() => parseLocation(text, table)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});

describe('redactLocation', () => {
  it.each([
    ['rest:https://anna:geheim@host:8000/r', 'rest:https://anna:***@host:8000/r'],
    ['rest:https://:geheim@host/r', 'rest:https://:***@host/r'],
    ['rest:https://anna:ge/he@i?m@host/r', 'rest:https://anna:***@host/r'],
    ['rest:https://host:8000/a@b', 'rest:https://host:8000/a@b'],
    ['s3:https://h/b?access_key=AK&region=eu&Secret=x', 's3:https://h/b?access_key=***&region=eu&Secret=***'],
    ['sftp://u@h/p', 'sftp://u@h/p'],
    ['/srv/a?key=b', '/srv/a?key=b'],
    ['local:/srv/http://a:b@c', 'local:/srv/http://a:b@c'],
  ])('shows %s as %s', (text, shown) => {
    expect(redactLocation(text)).toBe(shown);
  });
});
