/** The official SDK drives the Dropbox of tests: what it takes for an answer, ours has to be. */
import { Dropbox, DropboxAuth, DropboxResponseError } from 'dropbox';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DropboxServer, refusing } from '../../servers/dropbox.ts';
import { contentHash } from '../../servers/dropbox-space.ts';

let server: DropboxServer;
let sdk: Dropbox;

/** To the ports of this machine instead of Dropbox's hosts. */
function rerouted(url: string, o?: RequestInit): Promise<Response> {
  const { options } = server;
  const local = url
    .replace('https://api.dropboxapi.com', options.get('dropbox.endpoint') ?? '')
    .replace('https://content.dropboxapi.com', options.get('dropbox.content-endpoint') ?? '');
  return fetch(local, o);
}

async function refusalOf(call: Promise<unknown>): Promise<DropboxResponseError<unknown>> {
  const e = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (e instanceof DropboxResponseError) return e;
  throw new Error(`no refusal: ${String(e)}`);
}

beforeEach(async () => {
  server = await DropboxServer.start({
    page: 7,
    clientSecret: 'app-secret',
    redirects: ['http://localhost:7/x'],
  });
  sdk = new Dropbox({ accessToken: server.login.grant().accessToken, fetch: rerouted });
});

afterEach(() => server.close());

describe('the Dropbox of tests, by the SDK', () => {
  it('takes an upload in one call and gives it back, and parts of it', async () => {
    const { result } = await sdk.filesUpload({ path: '/Ä/b.txt', contents: Buffer.from('0123456789') });
    expect(result).toMatchObject({
      name: 'b.txt',
      path_lower: '/ä/b.txt',
      path_display: '/Ä/b.txt',
      size: 10,
    });
    expect(result.content_hash).toBe(contentHash(Buffer.from('0123456789')));
    const whole = await sdk.filesDownload({ path: '/ä/B.TXT' });
    expect(whole.result.content_hash).toBe(result.content_hash);
    const text = async (r: typeof whole) =>
      r.result.fileBlob ? r.result.fileBlob.text() : String(r.result.fileBinary);
    expect(await text(whole)).toBe('0123456789');
    const part = await sdk.filesDownload({ path: '/ä/b.txt' }, { extraHeaders: { Range: 'bytes=3-5' } });
    expect(await text(part)).toBe('345');
  });

  it('carries sessions, and finishes them one by one and by batches', async () => {
    const parts = [Buffer.from('first '), Buffer.from('second '), Buffer.from('third')];
    const { session_id } = (await sdk.filesUploadSessionStart({ contents: parts[0] ?? '' })).result;
    await sdk.filesUploadSessionAppendV2({ cursor: { session_id, offset: 6 }, contents: parts[1] ?? '' });
    const wrong = sdk.filesUploadSessionAppendV2({
      cursor: { session_id, offset: 6 },
      contents: parts[1] ?? '',
    });
    expect((await refusalOf(wrong)).error).toMatchObject({
      error: { '.tag': 'incorrect_offset', correct_offset: 13 },
    });
    const finish = { cursor: { session_id, offset: 13 }, commit: { path: '/one' }, contents: parts[2] ?? '' };
    expect((await sdk.filesUploadSessionFinish(finish)).result.size).toBe(18);
    const open = (await sdk.filesUploadSessionStart({ contents: 'x' })).result.session_id;
    const closed = (await sdk.filesUploadSessionStart({ contents: 'x', close: true })).result.session_id;
    const entries = [open, closed, 'nonsense'].map((id, i) => ({
      cursor: { session_id: id, offset: 1 },
      commit: { path: `/batch/${i}` },
    }));
    const { result } = await sdk.filesUploadSessionFinishBatchV2({ entries });
    expect(result.entries).toMatchObject([
      { '.tag': 'failure', failure: { '.tag': 'lookup_failed', lookup_failed: { '.tag': 'not_closed' } } },
      { '.tag': 'success', name: '1', size: 1 },
      { '.tag': 'failure', failure: { '.tag': 'lookup_failed', lookup_failed: { '.tag': 'not_found' } } },
    ]);
  });

  it('lists by pages, flat and deep', async () => {
    for (let i = 0; i < 20; i++) await sdk.filesUpload({ path: `/top/${i % 2}/${i}`, contents: String(i) });
    const deep: string[] = [];
    let page = (await sdk.filesListFolder({ path: '/top', recursive: true })).result;
    for (;;) {
      deep.push(...page.entries.map((entry) => entry.path_lower ?? ''));
      if (!page.has_more) break;
      page = (await sdk.filesListFolderContinue({ cursor: page.cursor })).result;
    }
    const files = Array.from({ length: 20 }, (_, i) => `/top/${i % 2}/${i}`);
    expect(deep.sort()).toEqual(['/top', '/top/0', '/top/1', ...files].sort());
    const flat = (await sdk.filesListFolder({ path: '' })).result.entries;
    expect(flat).toMatchObject([{ '.tag': 'folder', name: 'top' }]);
    const none = await refusalOf(sdk.filesListFolder({ path: '/none' }));
    expect(none.error).toMatchObject({ error: { '.tag': 'path', path: { '.tag': 'not_found' } } });
  });

  it('removes, one by one and by batches', async () => {
    for (const name of ['a', 'b', 'c']) await sdk.filesUpload({ path: `/${name}`, contents: name });
    expect((await sdk.filesDeleteV2({ path: '/a' })).result.metadata.name).toBe('a');
    const gone = await refusalOf(sdk.filesDeleteV2({ path: '/a' }));
    expect(gone.error).toMatchObject({
      error: { '.tag': 'path_lookup', path_lookup: { '.tag': 'not_found' } },
    });
    const launch = (await sdk.filesDeleteBatch({ entries: ['/a', '/b', '/c'].map((path) => ({ path })) }))
      .result;
    if (launch['.tag'] !== 'async_job_id') throw new Error('no job');
    const { async_job_id } = launch;
    expect((await sdk.filesDeleteBatchCheck({ async_job_id })).result['.tag']).toBe('in_progress');
    expect((await sdk.filesDeleteBatchCheck({ async_job_id })).result).toMatchObject({
      entries: [{ '.tag': 'failure' }, { '.tag': 'success' }, { '.tag': 'success' }],
    });
    expect(server.space.files.size).toBe(0);
  });

  it('tells whose it is and how full', async () => {
    await sdk.filesUpload({ path: '/a', contents: 'abc' });
    expect((await sdk.usersGetSpaceUsage()).result).toMatchObject({
      used: 3,
      allocation: { '.tag': 'individual' },
    });
    expect((await sdk.usersGetCurrentAccount()).result.email).toBe('ada@example.org');
  });

  it('refuses what the reference does not know', async () => {
    const { accessToken } = server.login.grant();
    const ask = (route: string, body: string, headers: Record<string, string> = {}) =>
      fetch(`${server.options.get('dropbox.endpoint')}/2/${route}`, {
        method: 'POST',
        body,
        headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json', ...headers },
      }).then((r) => r.status);
    expect(await ask('files/get_metadata', '{"path":"/a"}')).toBe(409);
    expect(await ask('files/get_metadata', '{"path":"/a","extra":1}')).toBe(400);
    expect(await ask('files/get_metadata', '{"path":"a"}')).toBe(400);
    expect(await ask('files/get_metadata', '{"path":"/a/"}')).toBe(400);
    expect(await ask('files/get_metadata', '{}')).toBe(400);
    expect(await ask('files/get_metadata', '{')).toBe(400);
    expect(await ask('files/get_metadata', '{"path":"/a"}', { 'content-type': 'text/html' })).toBe(400);
    expect(await ask('files/get_metadata', '{"path":"/a"}', { authorization: 'Bearer x' })).toBe(401);
    expect(await ask('files/download', '{"path":"/a"}')).toBe(400);
    const many = Array.from({ length: 1001 }, (_, i) => ({ path: `/${i}` }));
    expect(await ask('files/delete_batch', JSON.stringify({ entries: many }))).toBe(400);
  });

  it('lets only one write in at a time', async () => {
    const uploads = ['/a', '/b'].map((path) =>
      sdk.filesUpload({ path, contents: path }).catch((e) => e.status),
    );
    expect((await Promise.all(uploads)).filter((r) => r === 429)).toHaveLength(1);
    expect(server.overlaps).toBe(1);
  });

  it('does wrong as it is told, once', async () => {
    server.plan('files/get_metadata', refusing('path', 'restricted_content'));
    const told = await refusalOf(sdk.filesGetMetadata({ path: '/a' }));
    expect(told.error).toMatchObject({ error: { path: { '.tag': 'restricted_content' } } });
    const usual = await refusalOf(sdk.filesGetMetadata({ path: '/a' }));
    expect(usual.error).toMatchObject({ error: { path: { '.tag': 'not_found' } } });
  });

  it('signs in the SDK, with its own PKCE, and gives it new tokens', async () => {
    const auth = new DropboxAuth({ clientId: 'app-key', fetch: rerouted });
    const url = await auth.getAuthenticationUrl(
      'http://localhost:7/x',
      's',
      'code',
      'offline',
      undefined,
      'none',
      true,
    );
    const page = String(url).replace('https://dropbox.com', server.options.get('dropbox.endpoint') ?? '');
    const back = await fetch(page, { redirect: 'manual' });
    const code = new URL(back.headers.get('location') ?? '').searchParams.get('code') ?? '';
    const { result } = await auth.getAccessTokenFromCode('http://localhost:7/x', code);
    expect(result).toMatchObject({ token_type: 'bearer', refresh_token: expect.any(String) });
    const again = await refusalOf(auth.getAccessTokenFromCode('http://localhost:7/x', code));
    expect(again.error).toMatchObject({ error: 'invalid_grant' });
    auth.setRefreshToken('refresh_token' in result ? String(result.refresh_token) : '');
    const client = new Dropbox({ auth, fetch: rerouted });
    expect((await client.usersGetCurrentAccount()).status).toBe(200);
    expect(server.login.refreshed).toBe(1);
    await client.authTokenRevoke();
    expect((await refusalOf(client.usersGetCurrentAccount())).status).toBe(401);
  });
});
