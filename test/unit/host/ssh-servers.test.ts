/** A server over SSH that is met for the first time: a question, and what the answer changes. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import { probe } from '../../../src/host/asking.ts';
import { newPlaceAt } from '../../../src/host/logins.ts';
import { rememberServer } from '../../../src/host/ssh-servers.ts';
import { useTemp } from '../../helpers/scope.ts';
import { newHostKey, startSftp } from '../../servers/sftp.ts';

const temp = useTemp();
const PASSWORD = 'a password';
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function aServer() {
  const home = temp.dir();
  const server = await startSftp({ root: temp.dir(), password: PASSWORD, hostKeys: [newHostKey()] });
  open.push(server);
  const location = `sftp://me@127.0.0.1:${server.port}//repo`;
  const env = { HOME: home };
  const ask = (options: Record<string, string> = {}, login: Record<string, string> = {}) =>
    probe({ ...newPlaceAt(location, options, { password: PASSWORD, ...login }), env }).then(
      () => undefined,
      (e: unknown) => e as EngineError,
    );
  return { home, server, env, ask };
}

it('is known from then on, by the file that the storage looks into', async () => {
  const { home, server, env, ask } = await aServer();
  const question = await ask();
  expect(question).toMatchObject({ code: 'host-unverified', context: { changed: false } });
  expect(server.attempts).toEqual([]);
  await rememberServer(question!, { env });
  expect(fs.readFileSync(join(home, '.ssh', 'known_hosts'), 'utf8')).toContain(`[127.0.0.1]:${server.port} `);
  expect(await ask()).toMatchObject({ code: 'repository-missing' });
  expect(server.attempts.length).toBeGreaterThan(0);
});

it('is known by the file that an option names', async () => {
  const { home, env, ask } = await aServer();
  const options = { 'sftp.known-hosts': '~/servers' };
  const question = await ask(options);
  await rememberServer(question!, { env, options: new Map(Object.entries(options)) });
  expect(fs.existsSync(join(home, 'servers'))).toBe(true);
  expect(fs.existsSync(join(home, '.ssh'))).toBe(false);
  expect(await ask(options)).toMatchObject({ code: 'repository-missing' });
  expect(await ask()).toMatchObject({ code: 'host-unverified' });
});

it('is known by the fingerprint in the login of a destination', async () => {
  const { ask } = await aServer();
  const question = await ask();
  const hostKey = String(question?.context.fingerprint);
  expect(await ask({}, { hostKey })).toMatchObject({ code: 'repository-missing' });
  expect(await ask({}, { hostKey: `${hostKey.slice(0, -1)}_` })).toMatchObject({ code: 'host-unverified' });
});

it('is not made known by other errors, nor when its key has changed', async () => {
  const { home, env, ask } = await aServer();
  const question = await ask();
  const changed = new EngineError('host-unverified', '', {
    context: { ...question!.context, changed: true },
  });
  for (const e of [changed, new EngineError('unreachable', '')]) {
    await expect(rememberServer(e, { env })).rejects.toMatchObject({ code: 'usage' });
  }
  expect(fs.existsSync(join(home, '.ssh'))).toBe(false);
});
