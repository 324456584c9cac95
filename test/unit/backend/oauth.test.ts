import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttpClient, type HttpClient } from '../../../src/backend/http/client.ts';
import { beginSignIn, refreshTokens, type SignIn } from '../../../src/backend/oauth/oauth.ts';
import { OAuthServer } from '../../servers/oauth-server.ts';

const NOW = 1_000_000;
const now = (): number => NOW;

let server: OAuthServer;
let http: HttpClient;
const begun: SignIn[] = [];

beforeEach(async () => {
  server = await OAuthServer.start();
  http = await createHttpClient({ connections: 1 });
});

afterEach(async () => {
  for (const signIn of begun.splice(0)) signIn.close();
  http.close();
  await server[Symbol.asyncDispose]();
});

async function begin(o: object = {}): Promise<SignIn> {
  const signIn = await beginSignIn({ ...server.client, ...o }, http, now);
  begun.push(signIn);
  return signIn;
}

/** Where the service would send the browser; nobody goes there. */
async function sentTo({ url }: SignIn): Promise<string> {
  const answer = await fetch(url, { redirect: 'manual' });
  return answer.headers.get('location') ?? '';
}

describe('signing in', () => {
  it('takes the tokens when the browser comes back', async () => {
    const signIn = await begin();
    const tokens = signIn.tokens();
    const page = await fetch(signIn.url);
    expect(await page.text()).toContain('You are signed in');
    expect(await tokens).toEqual({
      accessToken: expect.stringMatching(/^access\./),
      refreshToken: expect.stringMatching(/^refresh\./),
      expiresAt: NOW + 3_599_000,
    });
    await expect(fetch(page.url)).rejects.toThrow();
  });

  it('takes a browser that was there before anybody waited', async () => {
    const signIn = await begin();
    await fetch(signIn.url);
    expect(await signIn.tokens()).toHaveProperty('refreshToken');
  });

  it('says so when the person refuses', async () => {
    server.login.consents = false;
    const signIn = await begin();
    const ended = expect(signIn.tokens()).rejects.toMatchObject({
      code: 'auth-expired',
      transient: false,
      context: { reason: 'access_denied' },
    });
    expect(await (await fetch(signIn.url)).text()).toContain('was not given access');
    await ended;
  });

  it('does not hear a browser that somebody else sent', async () => {
    const signIn = await begin();
    const back = new URL(await sentTo(signIn));
    const forged = new URL(back);
    forged.searchParams.set('state', 'forged');
    forged.searchParams.set('code', 'stolen-code');
    expect((await fetch(forged)).status).toBe(404);
    expect((await fetch(back, { method: 'POST' })).status).toBe(404);
    expect((await fetch(back)).status).toBe(200);
    expect(await signIn.tokens()).toHaveProperty('accessToken');
  });

  it('takes what was pasted: the address, or the code; after a wrong one too', async () => {
    const signIn = await begin();
    const back = new URL(await sentTo(signIn));
    const wrongState = new URL(back);
    wrongState.searchParams.set('state', 'other');
    for (const pasted of ['', 'what?', 'https://example.org/', wrongState.href]) {
      await expect(signIn.tokens({ pasted })).rejects.toMatchObject({ code: 'usage' });
    }
    await expect(signIn.tokens({ pasted: 'not-the-right-code' })).rejects.toMatchObject({
      code: 'auth-expired',
      context: { reason: 'invalid_grant' },
    });
    expect(await signIn.tokens({ pasted: ` ${back.href}\n` })).toHaveProperty('accessToken');
    const second = await begin();
    const code = new URL(await sentTo(second)).searchParams.get('code') ?? '';
    expect(await second.tokens({ pasted: code })).toHaveProperty('accessToken');
  });

  it('has the service prove nothing to whoever caught the code', async () => {
    const [mine, theirs] = [await begin(), await begin()];
    const code = new URL(await sentTo(mine)).searchParams.get('code') ?? '';
    // Another sign-in has another verifier, and another address to come back to.
    await expect(theirs.tokens({ pasted: code })).rejects.toMatchObject({ code: 'auth-expired' });
  });

  it('ends when it is given up', async () => {
    const signIn = await begin();
    const abort = new AbortController();
    const waiting = signIn.tokens({ signal: abort.signal });
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    const before = signIn.tokens({ signal: AbortSignal.abort() });
    await expect(before).rejects.toMatchObject({ code: 'cancelled' });
    const late = signIn.tokens({ signal: AbortSignal.timeout(1) });
    await expect(late).rejects.toMatchObject({ code: 'cancelled' });
    await fetch(signIn.url);
    expect(await signIn.tokens()).toHaveProperty('accessToken');
  });

  it('tells a wrong client from a dead login', async () => {
    const signIn = await begin({ clientSecret: 'wrong' });
    const tokens = expect(signIn.tokens()).rejects.toMatchObject({
      code: 'auth-expired',
      message: expect.stringContaining('client id'),
      context: { reason: 'invalid_client' },
    });
    await fetch(signIn.url);
    await tokens;
  });
});

describe('new tokens', () => {
  it('come for a refresh token, which stays good unless a new one comes', async () => {
    const { refreshToken } = server.login.grant();
    const tokens = await refreshTokens(server.client, http, now, refreshToken);
    expect(tokens).toEqual({ accessToken: expect.any(String), expiresAt: NOW + 3_599_000, refreshToken });
    server.login.rotates = true;
    const rotated = await refreshTokens(server.client, http, now, refreshToken);
    expect(rotated.refreshToken).not.toBe(refreshToken);
    await expect(refreshTokens(server.client, http, now, refreshToken)).rejects.toMatchObject({
      code: 'auth-expired',
      transient: false,
      context: { reason: 'invalid_grant' },
    });
  });

  it.each([
    [
      429,
      { 'retry-after': '7' },
      { code: 'rate-limited', transient: true, context: { retryAfterSeconds: 7 } },
    ],
    [503, {}, { code: 'unreachable', transient: true }],
    [400, {}, { code: 'auth-expired', transient: false, context: { reason: 'HTTP 400' } }],
  ])('are refused with %i', async (status, headers, want) => {
    server.login.trouble.push({ status, headers, body: {} });
    const { refreshToken } = server.login.grant();
    await expect(refreshTokens(server.client, http, now, refreshToken)).rejects.toMatchObject(want);
  });

  it('are not taken out of an answer that has none', async () => {
    server.login.trouble.push({ status: 200, body: 'welcome' });
    await expect(refreshTokens(server.client, http, now, 'r')).rejects.toMatchObject({ code: 'io' });
  });
});
