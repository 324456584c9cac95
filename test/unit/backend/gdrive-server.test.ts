/** Google's own SDK drives the Drive of tests; and what the real one refuses, it refuses. */
import { Readable } from 'node:stream';
import { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DriveServer } from '../../servers/drive.ts';
import { FOLDER } from '../../servers/drive-space.ts';

const OWN_FILES_ALONE = 'https://www.googleapis.com/auth/drive.file';

let server: DriveServer;
let token: string;
let sdk: drive_v3.Drive;

beforeEach(async () => {
  server = await DriveServer.start();
  token = server.login.grant('https://www.googleapis.com/auth/drive').accessToken;
  sdk = sdkWith(token);
});

afterEach(() => server[Symbol.asyncDispose]());

function sdkWith(bearer: string): drive_v3.Drive {
  const headers = { authorization: `Bearer ${bearer}` };
  return new drive_v3.Drive({ rootUrl: `${server.origin}/`, retry: false, headers });
}

async function ask(path: string, o: RequestInit = {}): Promise<Response> {
  return fetch(server.origin + path, { ...o, headers: { authorization: `Bearer ${token}`, ...o.headers } });
}

async function reasonOf(answer: Response): Promise<readonly [number, string]> {
  const { error } = JSON.parse(await answer.text());
  return [answer.status, error.errors[0].reason];
}

async function session(length: number): Promise<string> {
  const answer = await ask('/upload/drive/v3/files?uploadType=resumable', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-upload-content-length': String(length) },
    body: JSON.stringify({ name: 'large' }),
  });
  return (
    new URL(answer.headers.get('location') ?? '').pathname +
    new URL(answer.headers.get('location') ?? '').search
  );
}

const put = (path: string, range: string, size: number) =>
  ask(path, { method: 'PUT', headers: { 'content-range': range }, body: new Uint8Array(size) });

describe('the Drive of tests, by Google’s SDK', () => {
  it('makes, lists, reads, changes and removes files', async () => {
    const folder = await sdk.files.create({ requestBody: { name: 'a’b', mimeType: FOLDER }, fields: 'id' });
    const parent = folder.data.id ?? '';
    const wanted = {
      requestBody: { name: "it's", parents: [parent] },
      media: { mimeType: 'text/plain', body: Readable.from(['hello']) },
      fields: 'id,size,md5Checksum',
    };
    // For bytes the SDK takes the address only of the call.
    const made = await sdk.files.create(wanted, { rootUrl: `${server.origin}/` });
    expect(made.data).toEqual({
      id: expect.any(String),
      size: '5',
      md5Checksum: '5d41402abc4b2a76b9719d911017c592',
    });
    const q = `'${parent}' in parents and name = 'it\\'s' and trashed = false`;
    const { data } = await sdk.files.list({ q, fields: 'files(id,name),nextPageToken' });
    expect(data).toEqual({ files: [{ id: made.data.id, name: "it's" }] });
    const fileId = made.data.id ?? '';
    const read = await sdk.files.get({ fileId, alt: 'media' }, { responseType: 'text' });
    expect(read.data).toBe('hello');
    await sdk.files.update({ fileId, requestBody: { trashed: true } });
    expect((await sdk.files.list({ q })).data.files).toEqual([]);
    await sdk.files.delete({ fileId: parent });
    await expect(sdk.files.get({ fileId })).rejects.toMatchObject({ status: 404 });
  });

  it('takes an id that it gave, once', async () => {
    const { data } = await sdk.files.generateIds({ count: 2 });
    const [id = ''] = data.ids ?? [];
    await sdk.files.create({ requestBody: { id, name: 'x' } });
    await expect(sdk.files.create({ requestBody: { id, name: 'x' } })).rejects.toMatchObject({ status: 409 });
    await expect(sdk.files.create({ requestBody: { id: 'mine', name: 'x' } })).rejects.toMatchObject({
      status: 400,
    });
  });
});

describe('the Drive of tests refuses', () => {
  it.each([
    ['/drive/v3/files?pageSize=1001', 400, 'invalid'],
    ['/drive/v3/files?limit=5', 400, 'invalidParameter'],
    ['/drive/v3/files?fields=files(id', 400, 'invalid'],
    ['/drive/v3/files?fields=files(ident)', 400, 'invalid'],
    ["/drive/v3/files?q=name='x", 400, 'invalid'],
    ["/drive/v3/files?q=name=='x'", 400, 'invalid'],
    ["/drive/v3/files?q='root' in parents and", 400, 'invalid'],
    ["/drive/v3/files?q='nowhere' in parents", 404, 'notFound'],
    [`/drive/v3/files?q=${Array(51).fill("'root' in parents").join(' or ')}`, 400, 'queryTooComplex'],
    ['/drive/v3/files?corpora=drive', 400, 'required'],
    ['/drive/v3/about', 400, 'required'],
    ['/drive/v3/files/nothing', 404, 'notFound'],
    ['/drive/v2/files', 404, 'notFound'],
  ])('%s', async (path, status, reason) => {
    expect(await reasonOf(await ask(path))).toEqual([status, reason]);
  });

  it('nobody’s calls, and those with tokens that have ended', async () => {
    expect((await fetch(`${server.origin}/drive/v3/files`)).status).toBe(401);
    server.login.expireAll();
    expect(await reasonOf(await ask('/drive/v3/files'))).toEqual([401, 'authError']);
  });

  it('to show a program with few rights what it has not made', async () => {
    const file = server.space.create({ name: 'x', parents: [], clientId: 'other' });
    const narrow = sdkWith(server.login.grant(OWN_FILES_ALONE).accessToken);
    expect((await narrow.files.list({})).data.files).toEqual([]);
    await expect(narrow.files.get({ fileId: file.id })).rejects.toMatchObject({ status: 404 });
    expect((await sdk.files.get({ fileId: file.id })).data.name).toBe('x');
  });

  it('to show what lies in a shared drive to who has not said that he knows those', async () => {
    const driveId = server.space.addDrive('Shared');
    const { id: fileId } = server.space.create({ name: 'x', parents: [driveId] });
    await expect(sdk.files.get({ fileId })).rejects.toMatchObject({ status: 404 });
    expect((await sdk.files.get({ fileId, supportsAllDrives: true })).data.name).toBe('x');
    expect((await sdk.files.list({ supportsAllDrives: true })).data.files).toEqual([]);
  });

  it('chunks of other sizes and at other places than it takes', async () => {
    const path = await session(1_000_000);
    expect((await put(path, 'bytes 0-999/1000000', 1000)).status).toBe(400);
    expect((await put(path, 'bytes 0-262143/1000000', 262_143)).status).toBe(400);
    expect((await put(path, 'bytes 262144-524287/1000000', 262_144)).status).toBe(400);
    expect((await put(path, 'bytes 0-262143/2000000', 262_144)).status).toBe(400);
    const taken = await put(path, 'bytes 0-262143/1000000', 262_144);
    expect([taken.status, taken.headers.get('range')]).toEqual([308, 'bytes=0-262143']);
    const told = await put(path, 'bytes */1000000', 0);
    expect([told.status, told.headers.get('range')]).toEqual([308, 'bytes=0-262143']);
    expect((await put(path, 'bytes 262144-999999/1000000', 737_856)).status).toBe(200);
  });
});
