import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Access, globalOptions, resolveGlobals } from '../../../src/cli/globals.ts';
import { SecretLine } from '../../../src/cli/input.ts';
import { findLocation } from '../../../src/cli/location.ts';
import { parseFlags } from '../../../src/cli/parse.ts';
import { comesFromStdin, isPrompted, readNewPassword, readPassword } from '../../../src/cli/password.ts';
import { shellWords } from '../../../src/cli/shell-words.ts';
import { type FakeOptions, fakeTerminal } from './fake-terminal.ts';

const globals = (argv: string[], env = {}) => resolveGlobals(parseFlags(argv, globalOptions).values, env);
const { signal } = new AbortController();
const usage = (message: RegExp) =>
  expect.objectContaining({ code: 'usage', message: expect.stringMatching(message) });

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'holdfast-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const place = path.join(folder, name);
  await writeFile(place, content);
  return place;
}

describe('the environment', () => {
  it('is read under both names, ours first, and flags win over it', () => {
    const env = {
      RESTIC_REPOSITORY: 'r',
      HOLDFAST_REPOSITORY: 'h',
      RESTIC_COMPRESSION: 'max',
      RESTIC_PACK_SIZE: '32',
    };
    expect(globals([], env).access.repo).toBe('h');
    expect(globals([], { ...env, HOLDFAST_REPOSITORY: '' }).access.repo).toBe('r');
    expect(globals(['-r', 'f'], env).access.repo).toBe('f');
    expect(globals([], env)).toMatchObject({ compression: 'max', packSize: 32 * 1024 ** 2 });
    expect(globals(['--compression', 'off'], env).compression).toBe('off');
  });

  it('of the other name does not contradict', () => {
    const env = { HOLDFAST_PASSWORD_FILE: 'f', RESTIC_PASSWORD_COMMAND: 'c', RESTIC_PASSWORD: 'p' };
    expect(globals([], env).access).toMatchObject({
      passwordFile: 'f',
      passwordCommand: undefined,
      password: undefined,
    });
    expect(globals(['--password-command=x'], env).access).toMatchObject({
      passwordFile: undefined,
      passwordCommand: 'x',
      password: undefined,
    });
  });

  it.each<[string, string[], Record<string, string>, RegExp]>([
    ['two places', ['-r', 'a', '--repository-file', 'b'], {}, /given twice/],
    ['two variables of a place', [], { RESTIC_REPOSITORY: 'a', RESTIC_REPOSITORY_FILE: 'b' }, /given twice/],
    ['an empty place', ['-r', ''], { RESTIC_REPOSITORY: 'a' }, /--repo is empty/],
    ['two secrets', ['-p', 'a', '--password-command', 'b'], {}, /given twice/],
    ['quiet and verbose', ['-q', '-v'], {}, /contradict/],
    ['a wrong size', [], { RESTIC_PACK_SIZE: 'x' }, /RESTIC_PACK_SIZE: "x" is not/],
    ['a wrong mode', [], { HOLDFAST_COMPRESSION: 'most' }, /HOLDFAST_COMPRESSION/],
    ['an option twice', ['-o', 's3.region=a', '-o', 's3.region=b'], {}, /s3.region is given twice/],
  ])('%s: refused', (_, argv, env, message) => {
    expect(() => globals(argv, env)).toThrow(usage(message));
  });

  it('and flags give the rest', () => {
    const argv = [
      '-vv',
      '--limit-upload=2',
      '--no-lock',
      '--retry-lock',
      '5m',
      '--no-cache',
      '-o',
      'A.b = c',
    ];
    expect(globals(argv)).toMatchObject({
      verbosity: 3,
      limits: { upload: 2048, download: 0 },
      noLock: true,
      retryLockMs: 300_000,
      cacheDir: null,
      storageOptions: new Map([['a.b', 'c']]),
    });
    expect(globals(['-q']).verbosity).toBe(0);
    expect(globals(['--no-cache', '--cache-dir', 'x']).cacheDir).toBeNull();
    expect(globals([], { RESTIC_CACHE_DIR: 'y' }).cacheDir).toBe('y');
  });
});

describe('the place of the repository', () => {
  it('may stand in a file, with a byte order mark', async () => {
    const utf16 = Buffer.from('\uFEFF/srv/bäckup\r\n', 'utf16le');
    const repositoryFile = await file('place', utf16);
    expect(await findLocation({ ...nothing, repositoryFile }, signal)).toBe('/srv/bäckup');
    expect(await findLocation(nothing, signal)).toBeUndefined();
    await expect(findLocation({ ...nothing, repositoryFile: 'no-such' }, signal)).rejects.toEqual(
      usage(/does not exist/),
    );
  });
});

const nothing: Access = {
  repo: undefined,
  repositoryFile: undefined,
  password: undefined,
  passwordFile: undefined,
  passwordCommand: undefined,
  insecureNoPassword: false,
  keyHint: undefined,
};

function read(access: Partial<Access>, o: FakeOptions = {}, reader = readPassword) {
  const io = fakeTerminal(o);
  return reader({ ...nothing, ...access }, { terminal: io.terminal, signal });
}

describe('the password', () => {
  const node = (code: string) => `${process.execPath} -e "${code}"`;

  it('comes from the variable as it is', async () => {
    expect(await read({ password: ' secret ' })).toBe(' secret ');
  });

  it('comes from a file without the blanks around it', async () => {
    expect(await read({ passwordFile: await file('pw', '\uFEFF pass word \r\n\n') })).toBe('pass word');
    await expect(read({ passwordFile: await file('none', '\n') })).rejects.toEqual(usage(/no password in/));
    await expect(read({ passwordFile: path.join(folder, 'gone') })).rejects.toEqual(
      usage(/gone can't be read: it does not/),
    );
    await expect(read({ passwordFile: await file('latin', Buffer.from([0x70, 0xe4])) })).rejects.toEqual(
      usage(/UTF-8/),
    );
  });

  it('comes from the output of a command', async () => {
    expect(await read({ passwordCommand: node("console.log('  from a command ')") })).toBe('from a command');
    await expect(read({ passwordCommand: node('process.exit(3)') })).rejects.toEqual(usage(/exit code 3/));
    await expect(read({ passwordCommand: node(' ') })).rejects.toEqual(usage(/no password/));
    await expect(read({ passwordCommand: '/no/such/program' })).rejects.toEqual(usage(/can't be run/));
  });

  it('is empty only where that is said, and nothing else is', async () => {
    expect(await read({ insecureNoPassword: true })).toBe('');
    await expect(read({ insecureNoPassword: true, password: 'x' })).rejects.toEqual(usage(/together with/));
    await expect(read({}, { typed: ['\n'] })).rejects.toEqual(usage(/is empty/));
    await expect(read({}, { typed: [] })).rejects.toEqual(usage(/No password/));
  });

  it('is the first line of stdin where nobody can be asked', async () => {
    expect(await read({}, { typed: ['päs', 's\r\nnot', ' this\n'] })).toBe('päss');
    expect(await read({}, { typed: ['no newline'] })).toBe('no newline');
  });

  it('is typed unseen', async () => {
    const io = fakeTerminal({ stdinIsTerminal: true, typed: ['sex', '\x7fcret\r'] });
    expect(await readPassword(nothing, { terminal: io.terminal, signal })).toBe('secret');
    expect(io.out() + io.err()).toBe('Password of the repository: \n');
  });

  it('is typed twice when it is new', async () => {
    const typed = (second: string) => ({ stdinIsTerminal: true, typed: ['one\r', `${second}\r`] });
    expect(await read({}, typed('one'), readNewPassword)).toBe('one');
    await expect(read({}, typed('two'), readNewPassword)).rejects.toEqual(usage(/not the same/));
    expect(await read({}, { typed: ['one\n'] }, readNewPassword)).toBe('one');
  });

  it('waits for nobody once the work is stopped', async () => {
    const controller = new AbortController();
    const io = fakeTerminal({ stdinIsTerminal: true, typed: ['never'] });
    controller.abort(new Error('stopped'));
    await expect(readPassword(nothing, { terminal: io.terminal, signal: controller.signal })).rejects.toThrow(
      'stopped',
    );
  });

  it('says where it will come from', () => {
    const person = fakeTerminal({ stdinIsTerminal: true }).terminal;
    const pipe = fakeTerminal().terminal;
    expect([isPrompted(nothing, person), comesFromStdin(nothing, person)]).toEqual([true, false]);
    expect([isPrompted(nothing, pipe), comesFromStdin(nothing, pipe)]).toEqual([false, true]);
    expect(comesFromStdin({ ...nothing, passwordFile: 'f' }, pipe)).toBe(false);
  });
});

describe('typing', () => {
  it('can be corrected, ended and interrupted', () => {
    const line = new SecretLine();
    expect(line.feed('ab😀\x7fc')).toBe('typing');
    expect(line.text).toBe('abc');
    expect(line.feed('\x15x\n')).toBe('entered');
    expect(line.text).toBe('x');
    expect(new SecretLine().feed('\x04')).toBe('ended');
    expect(new SecretLine().feed('ab\x03')).toBe('interrupted');
  });
});

describe('words of a command', () => {
  it.each<[string, string[]]>([
    ['pass show backup', ['pass', 'show', 'backup']],
    [` sh -c "echo 'a b'"\t'c d' `, ['sh', '-c', "echo 'a b'", 'c d']],
    ['a\\ b', ['a', 'b']],
    ['"a\\"b"', ['a\\"b']],
    ['x"y z"', ['x', 'y z']],
  ])('%j', (command, words) => {
    expect(shellWords(command)).toEqual(words);
  });

  it.each(['', '  ', '"open', "it's"])('%j is refused', (command) => {
    expect(() => shellWords(command)).toThrow(usage(/./));
  });
});
