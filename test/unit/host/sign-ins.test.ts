/** Signing in at a service that is a small server of the test's. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import type { Login } from '../../../src/api/model/destination.ts';
import type { Scheme } from '../../../src/backend/registry.ts';
import { SignIns } from '../../../src/host/sign-ins.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const RIGHT = 'the-right-code-of-the-service';

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

/** Gives tokens for the one code that it knows. */
async function aService() {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      const good = form.get('code') === RIGHT && (form.get('code_verifier') ?? '').length > 40;
      response.statusCode = good ? 200 : 400;
      const tokens = { access_token: 'access', refresh_token: 'refresh', expires_in: 3600 };
      response.end(JSON.stringify(good ? tokens : { error: 'invalid_grant' }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function signIns() {
  const service = await aService();
  const refuse = () => Promise.reject(new Error('not opened here'));
  const scheme: Scheme = {
    scheme: 'cloud',
    title: 'Cloud',
    remote: true,
    open: refuse,
    create: refuse,
    signIn: async ({ clientId = 'usual' }) => ({
      client: { authorizeUrl: `${service}/authorize`, tokenUrl: `${service}/token`, clientId },
      loginOf: ({ refreshToken = '' }) => ({ refreshToken, clientId }),
    }),
  };
  const clock = new VirtualClock(1_000_000);
  const asked: Login[] = [];
  let count = 0;
  const made = new SignIns({
    schemes: [scheme, { ...scheme, scheme: 'other' }],
    clock,
    env: {},
    newId: () => `sign-in ${++count}`,
    accountOf: async (_kind, _options, login) => {
      asked.push(login);
      return 'ann@example.org';
    },
  });
  open.push(() => made.close());
  return { made, clock, asked };
}

const code = (wanted: string) => expect.objectContaining({ code: wanted });

/** What a browser does at the end: it goes where the service sends it. */
async function comeBack(url: string, query: Record<string, string>): Promise<number> {
  const asked = new URL(url).searchParams;
  const back = new URL(asked.get('redirect_uri') ?? '');
  for (const [name, value] of Object.entries({ state: asked.get('state') ?? '', ...query })) {
    back.searchParams.set(name, value);
  }
  return (await fetch(back)).status;
}

it('ends with a login when the browser comes back', async () => {
  const { made, asked } = await signIns();
  const { signInId, url } = await made.begin({ kind: 'cloud', clientId: 'mine', options: {} });
  expect(new URL(url).searchParams.get('client_id')).toBe('mine');
  expect(() => made.loginOf(signInId)).toThrow(code('usage'));
  const ended = made.ended(signInId);
  expect(await comeBack(url, { code: RIGHT })).toBe(200);
  expect(await ended).toEqual({ account: 'ann@example.org' });
  const login = { refreshToken: 'refresh', clientId: 'mine' };
  expect(made.loginOf(signInId)).toEqual(login);
  expect(asked).toEqual([login]);
  // Asking again tells the same.
  expect(await made.ended(signInId)).toEqual({ account: 'ann@example.org' });
});

it('takes what was pasted, also after a wrong paste', async () => {
  const { made } = await signIns();
  const { signInId } = await made.begin({ kind: 'cloud', options: {} });
  await expect(made.ended(signInId, 'https://example.org/nothing')).rejects.toEqual(code('usage'));
  expect(await made.ended(signInId, RIGHT)).toMatchObject({ account: 'ann@example.org' });
});

it('says that the person has refused', async () => {
  const { made } = await signIns();
  const { signInId, url } = await made.begin({ kind: 'cloud', options: {} });
  const ended = expect(made.ended(signInId)).rejects.toEqual(code('auth-expired'));
  await comeBack(url, { error: 'access_denied' });
  await ended;
});

it('is over after an hour, for who waits and who comes later', async () => {
  const { made, clock } = await signIns();
  const { signInId } = await made.begin({ kind: 'cloud', options: {} });
  const ended = expect(made.ended(signInId)).rejects.toEqual(code('timeout'));
  await clock.advance(3_600_001);
  await ended;
  await expect(made.ended(signInId)).rejects.toEqual(code('not-found'));
  expect(() => made.loginOf(signInId)).toThrow(code('not-found'));
});

it('gives way to another of the same kind, and to none of the others', async () => {
  const { made } = await signIns();
  const first = await made.begin({ kind: 'cloud', options: {} });
  const other = await made.begin({ kind: 'other', options: {} });
  const second = await made.begin({ kind: 'cloud', options: {} });
  await expect(made.ended(first.signInId, RIGHT)).rejects.toEqual(code('not-found'));
  for (const { signInId } of [other, second]) {
    expect(await made.ended(signInId, RIGHT)).toMatchObject({ account: 'ann@example.org' });
  }
});

it('is nothing for a storage without a browser', async () => {
  const { made } = await signIns();
  await expect(made.begin({ kind: 'local', options: {} })).rejects.toEqual(code('unsupported'));
});
