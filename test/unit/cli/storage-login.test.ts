import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import { destinationOf } from '../../helpers/host-values.ts';
import { useTemp } from '../../helpers/scope.ts';
import { program } from './host-program.ts';

const temp = useTemp();
const REST = 'rest:https://host:8000/';
const SFTP = 'sftp://ann@host//backup';
const LOGIN = { username: 'ann', password: 'a password' };

function fileOf(login: unknown): string {
  const file = join(temp.dir(), 'login.json');
  fs.writeFileSync(file, JSON.stringify(login));
  return file;
}

const added = (p: ReturnType<typeof program>) =>
  p.host.calls.filter(({ name }) => name === 'destinations.add').map(({ input }) => input);

describe('destination add', () => {
  it('takes the login from a file, and the settings of the storage from -o', async () => {
    const p = program({ logins: { [REST]: LOGIN } });
    const file = fileOf(LOGIN);
    const run = ['destination', 'add', 'server', REST, '--login-file', file, '-o', 'rest.connections=3'];
    expect(await p.run(...run)).toBe(0);
    expect(added(p)).toEqual([
      expect.objectContaining({ login: LOGIN, options: { 'rest.connections': '3' }, location: REST }),
    ]);
    expect(p.out() + p.err()).not.toContain(LOGIN.password);
  });

  it('refuses a file that holds no login', async () => {
    const p = program();
    expect(await p.run('destination', 'add', 'server', REST, '--login-file', fileOf([1]))).toBe(1);
    expect(p.err()).toContain('holds no login');
    expect(added(p)).toEqual([]);
  });

  it('asks at a terminal for a login that is wanted, once', async () => {
    const right = program({
      logins: { [REST]: LOGIN },
      stdinIsTerminal: true,
      typed: ['ann\n', 'a password\n'],
    });
    expect(await right.run('destination', 'add', 'server', REST)).toBe(0);
    expect(added(right).at(-1)).toMatchObject({ login: LOGIN });
    const wrong = program({ logins: { [REST]: LOGIN }, stdinIsTerminal: true, typed: ['ann\n', 'no\n'] });
    expect(await wrong.run('destination', 'add', 'server', REST)).not.toBe(0);
    expect(wrong.err()).toContain('not accepted');
    expect(added(wrong)).toEqual([]);
    const nobody = program({ logins: { [REST]: LOGIN } });
    expect(await nobody.run('destination', 'add', 'server', REST)).not.toBe(0);
    expect(added(nobody)).toHaveLength(1);
  });

  it('asks whether a server that is met for the first time is the right one', async () => {
    const fingerprints = { [SFTP]: 'SHA256:right' };
    const yes = program({ fingerprints, stdinIsTerminal: true, typed: ['what\n', 'yes\n'] });
    expect(await yes.run('destination', 'add', 'server', SFTP)).toBe(0);
    expect(added(yes).at(-1)).toMatchObject({ login: { hostKey: 'SHA256:right' } });
    const no = program({ fingerprints, stdinIsTerminal: true, typed: ['no\n'] });
    expect(await no.run('destination', 'add', 'server', SFTP)).not.toBe(0);
    const changed = program({ fingerprints, stdinIsTerminal: true, typed: ['yes\n'] });
    const other = fileOf({ hostKey: 'SHA256:other' });
    expect(await changed.run('destination', 'add', 'server', SFTP, '--login-file', other)).not.toBe(0);
    expect(changed.err()).not.toContain('yes/no');
    expect(changed.host.destinations.size).toBe(2);
  });

  it('signs in in a browser, and says as whom', async () => {
    const p = program({ account: 'ann@example.org', logins: { 'gdrive:backups': { token: 'x' } } });
    const run = ['destination', 'add', 'cloud', 'gdrive:backups', '--sign-in', '--client-id', 'mine'];
    expect(await p.run(...run)).toBe(0);
    expect(p.err()).toContain('https://sign-in.example/gdrive?state=');
    expect(p.out()).toContain('Signed in as ann@example.org.');
    expect(added(p)).toEqual([expect.objectContaining({ signInId: expect.any(String) })]);
    const refused = program();
    expect(await refused.run(...run)).not.toBe(0);
    expect(refused.err()).toContain('refused');
    expect(await program().run('destination', 'add', 'x', REST, '--sign-in')).toBe(1);
  });
});

describe('destination sign-in', () => {
  const server = destinationOf({ name: 'server', location: REST, kind: 'rest' });

  it('gives the login anew', async () => {
    const p = program({ destinations: [server], logins: { [REST]: LOGIN } });
    expect(await p.run('destination', 'sign-in', 'server', '--login-file', fileOf(LOGIN))).toBe(0);
    expect(p.host.calls).toContainEqual({
      name: 'destinations.setLogin',
      input: { id: server.id, login: LOGIN },
    });
  });

  it('says that none is given where nobody can be asked', async () => {
    const p = program({ destinations: [server], plans: [] });
    expect(await p.run('destination', 'sign-in', 'server')).toBe(1);
    expect(p.err()).toContain('--login-file');
  });

  it('asks for it at a terminal', async () => {
    const p = program({
      destinations: [server],
      logins: { [REST]: LOGIN },
      stdinIsTerminal: true,
      typed: ['ann\n', 'a password\n'],
    });
    expect(await p.run('destination', 'sign-in', 'server')).toBe(0);
    expect(p.out()).toContain('The login of server is accepted.');
  });
});

describe('login', () => {
  interface Tried {
    readonly pasted: (string | undefined)[];
    closed: boolean;
  }

  /** A sign-in that only a paste of the right code ends. */
  function signIn(tried: Tried) {
    return async () => ({
      url: 'https://sign-in.example/',
      done: async ({ pasted, signal }: { readonly pasted?: string; readonly signal: AbortSignal }) => {
        tried.pasted.push(pasted);
        if (pasted === 'code') return 'ann@example.org';
        if (pasted !== undefined) throw new EngineError('usage', 'That is not the code.');
        return new Promise<never>((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason)),
        );
      },
      close: () => {
        tried.closed = true;
      },
    });
  }

  it('waits for the browser and takes a paste, also after a wrong one', async () => {
    const tried: Tried = { pasted: [], closed: false };
    const p = program({ typed: ['wrong\n', '\n', 'code\n'], engine: { beginLogin: signIn(tried) } });
    expect(await p.run('login', 'gdrive:')).toBe(0);
    expect(p.err()).toContain('https://sign-in.example/');
    expect(p.err()).toContain('That is not the code.');
    expect(p.out()).toContain('Signed in as ann@example.org.');
    expect(tried).toEqual({ pasted: [undefined, 'wrong', 'code'], closed: true });
  });

  it('tells programs whose it is', async () => {
    const tried: Tried = { pasted: [], closed: false };
    const p = program({ typed: ['code\n'], engine: { beginLogin: signIn(tried) } });
    expect(await p.run('login', 'dropbox:', '--json')).toBe(0);
    expect(p.json()).toEqual([{ account: 'ann@example.org' }]);
  });
});

it('changes settings of a storage, and drops those that are empty', async () => {
  const options = { 's3.region': 'here', 's3.storage-class': 'cold' };
  const cloud = destinationOf({ name: 'cloud', location: 's3:host/bucket', options });
  const p = program({ destinations: [cloud] });
  const run = ['destination', 'edit', 'cloud', '-o', 's3.region=there', '-o', 's3.storage-class='];
  expect(await p.run(...run)).toBe(0);
  expect(p.host.destinations.get(cloud.id)?.options).toEqual({ 's3.region': 'there' });
});

it('names the command that signs in again', async () => {
  const cloud = destinationOf({ name: 'cloud', location: 'gdrive:', kind: 'gdrive' });
  const reason = {
    level: 'problem',
    code: 'sign-in',
    sentence: '“cloud” lets nobody in.',
    fix: { kind: 'sign-in', destinationId: cloud.id },
  } as const;
  const p = program({
    destinations: [cloud],
    status: { verdict: { state: 'attention', reasons: [reason] } },
  });
  await p.run('status');
  expect(p.out() + p.err()).toContain('holdfast destination sign-in');
});

describe('a server over SSH that --repo names', () => {
  const question = new EngineError('host-unverified', 'The server host is not known.', {
    context: { changed: false, fingerprint: 'SHA256:x', host: 'host', publicKey: 'AAAA' },
  });

  async function opening(typed: readonly string[], error = question) {
    const remembered: EngineError[] = [];
    let tries = 0;
    const openRepository = async () => {
      tries++;
      throw remembered.length > 0 ? new EngineError('repository-missing', 'There is none.') : error;
    };
    const rememberServer = async (e: EngineError) => void remembered.push(e);
    const p = program({ stdinIsTerminal: true, typed, engine: { openRepository, rememberServer } });
    const code = await p.run('snapshots', '-r', SFTP, '--password-command', 'echo x');
    return { code, tries, remembered, err: p.err() };
  }

  it('is remembered when the person says that it is right, and asked once more', async () => {
    const { remembered, tries, err } = await opening(['yes\n']);
    expect(remembered).toEqual([question]);
    expect(tries).toBe(2);
    expect(err).toContain('There is none.');
  });

  it('is not when they say no, nor when its key has changed', async () => {
    expect(await opening(['no\n'])).toMatchObject({ remembered: [], tries: 1 });
    const changed = new EngineError('host-unverified', 'It has another key.', {
      context: { ...question.context, changed: true },
    });
    const { remembered, err } = await opening(['yes\n'], changed);
    expect(remembered).toEqual([]);
    expect(err).not.toContain('yes/no');
  });
});
