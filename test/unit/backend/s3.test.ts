import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EngineError } from '../../../src/api/errors.ts';
import {
  type Backend,
  CONFIG_HANDLE,
  type FileInfo,
  type Handle,
  type Pace,
} from '../../../src/backend/backend.ts';
import type { StorageSetting } from '../../../src/backend/registry.ts';
import { type PartsSetting, partsOf } from '../../../src/backend/s3/parts.ts';
import { createS3, openS3 } from '../../../src/backend/s3/s3.ts';
import { wholeSum } from '../../../src/backend/s3/sums.ts';
import { CERTIFICATE, KEY as TLS_KEY } from '../../helpers/certificate.ts';
import { useTemp } from '../../helpers/scope.ts';
import { type S3Answer, type S3Seen, S3Server, s3Error } from '../../servers/s3.ts';

const temp = useTemp();
const KEY = { accessKeyId: 'ann', secretAccessKey: 'secret' };
const LOGIN: StorageSetting = { login: { get: async () => KEY, put: async () => undefined } };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const hex = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
const pack = (seed: string): Handle => ({ type: 'pack', name: hex(bytes(seed)) });

let server: S3Server;
const opened: Backend[] = [];

beforeEach(async () => {
  server = await S3Server.start();
});
afterEach(async () => {
  for (const backend of opened.splice(0)) await backend.close();
  await server[Symbol.asyncDispose]();
});

const target = () => `${server.endpoint}/bucket/place`;

async function open(o: StorageSetting = {}, parts?: PartsSetting): Promise<Backend> {
  const backend = await openS3(target(), { ...LOGIN, ...o }, parts);
  opened.push(backend);
  return backend;
}

async function create(): Promise<Backend> {
  const backend = await createS3(target(), LOGIN);
  opened.push(backend);
  return backend;
}

async function failing(call: Promise<unknown>): Promise<EngineError> {
  return call.then(
    () => {
      throw new Error('it went well');
    },
    (e: EngineError) => e,
  );
}

/** One such answer for the first request that fits, then as usual. */
function once(fits: (seen: S3Seen) => boolean, answer: S3Answer): void {
  server.answer = (seen) => {
    if (!fits(seen)) return undefined;
    server.answer = () => undefined;
    return answer;
  };
}

const isPut = ({ method }: S3Seen) => method === 'PUT';
const always = (answer: S3Answer) => {
  server.answer = () => answer;
};

async function all(files: AsyncIterable<FileInfo>): Promise<FileInfo[]> {
  const found: FileInfo[] = [];
  for await (const file of files) found.push(file);
  return found;
}

describe('what a service refuses', () => {
  const cases: readonly (readonly [status: number, code: string, ours: string, transient: boolean])[] = [
    [403, 'InvalidAccessKeyId', 'auth-expired', false],
    [403, 'SignatureDoesNotMatch', 'auth-expired', false],
    [400, 'ExpiredToken', 'auth-expired', false],
    [400, 'InvalidToken', 'auth-expired', false],
    [403, 'AccessDenied', 'permission', false],
    [403, 'RequestTimeTooSkewed', 'permission', false],
    [403, 'InvalidObjectState', 'permission', false],
    [404, 'NoSuchBucket', 'repository-missing', false],
    [503, 'SlowDown', 'rate-limited', true],
    [429, 'TooManyRequests', 'rate-limited', true],
    [500, 'InternalError', 'io', true],
    [400, 'RequestTimeout', 'timeout', true],
    [409, 'OperationAborted', 'io', true],
    [400, 'BadDigest', 'io', true],
    [400, 'XAmzContentSHA256Mismatch', 'io', true],
    [403, 'QuotaExceeded', 'no-space', false],
    [507, 'XMinioStorageFull', 'no-space', false],
    [400, 'EntityTooLarge', 'no-space', false],
    [501, 'NotImplemented', 'unsupported', false],
    [400, 'InvalidBucketName', 'usage', false],
    [301, 'PermanentRedirect', 'usage', false],
    [400, 'SomethingNew', 'io', false],
  ];

  it.each(cases)('%i %s is %s', async (status, code, ours, transient) => {
    always(s3Error(status, code));
    const s3 = await open();
    const h = pack('a');
    const calls = [
      () => s3.save(h, [bytes('x')]),
      () => s3.load(h),
      () => s3.remove(h),
      () => all(s3.list('pack')),
    ];
    for (const call of calls) {
      const e = await failing(call());
      expect(e).toMatchObject({
        name: 'EngineError',
        code: ours,
        transient,
        context: { status, reason: code },
      });
      expect(e.message).toContain(`(s3:${server.endpoint}/bucket/place)`);
    }
  });

  it.each([
    [502, 'unreachable'],
    [503, 'rate-limited'],
    [504, 'timeout'],
  ])('a proxy that answers %i with a page is transient', async (status, code) => {
    always({ status, body: '<html><body><h1>Oh</h1>', headers: { 'content-type': 'text/html' } });
    const s3 = await open();
    expect(await failing(s3.save(pack('a'), []))).toMatchObject({ code, transient: true });
    expect(await failing(s3.stat(pack('a')))).toMatchObject({ code, transient: true });
  });

  it('hears how long to wait', async () => {
    always(s3Error(503, 'SlowDown', '', { 'retry-after': '7' }));
    const e = await failing((await open()).load(pack('a')));
    expect(e.context).toMatchObject({ retryAfterSeconds: 7 });
  });

  it.each([
    ['InvalidAccessKeyId', 'auth-expired'],
    ['AccessDenied', 'permission'],
  ])('is told apart where the answer has no body: %s', async (code, ours) => {
    server.answer = ({ method }) => (method === 'HEAD' ? { status: 403 } : s3Error(403, code));
    expect(await failing((await open()).stat(pack('a')))).toMatchObject({ code: ours });
  });

  it('tells a bucket that is missing from a config that is', async () => {
    const s3 = await open();
    expect(await failing(s3.stat(CONFIG_HANDLE))).toMatchObject({ code: 'not-found' });
    server.answer = ({ method }) => (method === 'HEAD' ? { status: 404 } : s3Error(404, 'NoSuchBucket'));
    expect(await failing(s3.stat(CONFIG_HANDLE))).toMatchObject({ code: 'repository-missing' });
  });

  it('asks but once: to try again is not its business', async () => {
    always(s3Error(500, 'InternalError'));
    await failing((await open()).save(pack('a'), [bytes('x')]));
    expect(server.calls).toHaveLength(1);
  });
});

describe('a connection that is cut', () => {
  it.each(['cut at once', 'cut when done'] as const)('%s: a save may be tried again', async (cut) => {
    const s3 = await open();
    once(isPut, cut);
    const e = await failing(s3.save(pack('a'), [new Uint8Array(2_000_000)]));
    expect(e).toMatchObject({ code: 'unreachable', transient: true });
    await s3.save(pack('a'), [bytes('whole')]);
    expect(Buffer.from(await s3.load(pack('a'))).toString()).toBe('whole');
  });

  it('in the midst of an answer, it is no shorter file', async () => {
    const s3 = await open();
    await s3.save(pack('a'), [new Uint8Array(2_000_000)]);
    for (const range of [{}, { offset: 5 }, { offset: 5, length: 1_500_000 }]) {
      once(({ method }) => method === 'GET', 'cut midway');
      expect(await failing(s3.load(pack('a'), range))).toMatchObject({
        code: 'unreachable',
        transient: true,
      });
    }
    once(({ method }) => method === 'GET', 'cut midway');
    expect(await failing(all(s3.list('pack')))).toMatchObject({ code: 'unreachable', transient: true });
  });
});

describe('sums', () => {
  it('other bytes than were sent are found out', async () => {
    const s3 = await open();
    const sum = createHash('sha256').update('other').digest('base64');
    always({ status: 200, headers: { etag: '"x"', 'x-amz-checksum-sha256': sum } });
    const e = await failing(s3.save(pack('a'), [bytes('x')]));
    expect(e).toMatchObject({ code: 'io', transient: true });
    expect(e.message).toContain('stored other bytes');
  });

  it('a page that says 200 to anything has stored nothing', async () => {
    always({ status: 200, body: '<html><body>Please sign in to this network</body></html>' });
    const e = await failing((await open()).save(pack('a'), [bytes('x')]));
    expect(e).toMatchObject({ code: 'io', transient: true });
    expect(e.message).toContain('did not say');
  });

  it('are in lists that want them', async () => {
    const s3 = await open();
    const contents = ['one', 'two', 'three', ''];
    for (const text of contents) await s3.save(pack(text), [bytes(text)]);
    const found = await all(s3.list('pack', { checksums: true }));
    expect(found.map(({ checksum }) => checksum)).toEqual(
      found.map(({ name }) => ({ kind: 'sha256', value: name })),
    );
    expect(found).toHaveLength(contents.length);
    expect(found[0]?.storedAt).toBe(Date.UTC(2026, 0, 2, 3, 4, 5));
    expect((await all(s3.list('pack'))).every(({ checksum }) => checksum === undefined)).toBe(true);
  });

  it('of parts are none of the whole', async () => {
    const s3 = await open();
    await s3.save(pack('a'), [bytes('a')]);
    const sum = createHash('sha256').update('a').digest('base64');
    for (const headers of [
      { 'x-amz-checksum-sha256': `${sum}-2` },
      { 'x-amz-checksum-sha256': sum, 'x-amz-checksum-type': 'COMPOSITE' },
      {},
    ]) {
      server.answer = ({ method }) =>
        method === 'HEAD' ? { status: 200, headers: { 'content-length': '1', ...headers } } : undefined;
      const [file] = await all(s3.list('pack', { checksums: true }));
      expect(file).toEqual({ name: pack('a').name, size: 1, storedAt: expect.any(Number) });
    }
    expect(wholeSum(sum)).toBe(hex(bytes('a')));
  });

  it('a file that goes while it is looked at is left out', async () => {
    const s3 = await open();
    for (const text of ['a', 'b']) await s3.save(pack(text), [bytes(text)]);
    const gone = pack('a').name;
    server.answer = ({ method, key }) =>
      method === 'HEAD' && key.endsWith(gone) ? { status: 404 } : undefined;
    const found = await all(s3.list('pack', { checksums: true }));
    expect(found.map(({ name }) => name)).toEqual([pack('b').name]);
  });
});

describe('a new repository', () => {
  it('makes the bucket if there is none', async () => {
    once(({ method }) => method === 'HEAD', { status: 404 });
    await create();
    expect(server.calls).toEqual(['HEAD ', 'PUT ', 'HEAD place/config', 'GET place/config']);
  });

  it('is not made where one is', async () => {
    await (await open()).save(CONFIG_HANDLE, [bytes('config')]);
    expect(await failing(create())).toMatchObject({ code: 'repository-exists' });
  });

  it('never takes the place of another that is made at the same time', async () => {
    const [one, two] = [await create(), await create()];
    await one.save(CONFIG_HANDLE, [bytes('one')]);
    expect(await failing(two.save(CONFIG_HANDLE, [bytes('two')]))).toMatchObject({
      code: 'repository-exists',
    });
    expect(Buffer.from(await one.load(CONFIG_HANDLE)).toString()).toBe('one');
    // From then on it is a file like the others.
    await one.save(CONFIG_HANDLE, [bytes('changed')]);
    expect(Buffer.from(await one.load(CONFIG_HANDLE)).toString()).toBe('changed');
  });

  it('knows its own config again when the answer was lost', async () => {
    const s3 = await create();
    once(isPut, 'cut when done');
    await s3.save(CONFIG_HANDLE, [bytes('mine')]);
    expect(server.seen.filter(isPut)).toHaveLength(2);
    expect(Buffer.from(await s3.load(CONFIG_HANDLE)).toString()).toBe('mine');
  });

  it('is tried again where two writes met', async () => {
    const s3 = await create();
    once(isPut, s3Error(409, 'ConditionalRequestConflict'));
    const e = await failing(s3.save(CONFIG_HANDLE, [bytes('mine')]));
    expect(e).toMatchObject({ code: 'io', transient: true });
    await s3.save(CONFIG_HANDLE, [bytes('mine')]);
    expect(server.seen.filter(isPut).map(({ headers }) => headers['if-none-match'])).toEqual(['*', '*']);
  });

  it.each([
    [501, 'NotImplemented'],
    [400, 'InvalidArgument'],
  ])('asks first where the service knows no conditions (%i)', async (status, code) => {
    const refuse = ({ headers }: S3Seen) => (headers['if-none-match'] ? s3Error(status, code) : undefined);
    const [one, two] = [await create(), await create()];
    server.answer = refuse;
    await one.save(CONFIG_HANDLE, [bytes('one')]);
    expect(await failing(two.save(CONFIG_HANDLE, [bytes('two')]))).toMatchObject({
      code: 'repository-exists',
    });
    expect(server.objects.get('place/config')?.toString()).toBe('one');
  });
});

describe('what a service teaches', () => {
  const scopeOf = ({ headers }: S3Seen) => headers.authorization?.split('/').slice(2, 4).join(' ');

  it('is the region, by its error', async () => {
    const s3 = await open({ options: new Map([['s3.region', 'wrong-1']]) });
    server.answer = (seen) =>
      scopeOf(seen) === 'right-2 s3'
        ? undefined
        : s3Error(400, 'AuthorizationHeaderMalformed', '<Region>right-2</Region>');
    await s3.save(pack('a'), [bytes('x')]);
    await s3.load(pack('a'));
    expect(server.seen.map(scopeOf)).toEqual(['wrong-1 s3', 'right-2 s3', 'right-2 s3']);
  });

  it('is the region, by a header where there is no body', async () => {
    const s3 = await open();
    server.answer = (seen) =>
      scopeOf(seen) === 'right-2 s3'
        ? undefined
        : { status: 400, headers: { 'x-amz-bucket-region': 'right-2' } };
    expect(await failing(s3.stat(pack('a')))).toMatchObject({ code: 'not-found' });
  });

  it('is no region that it then refuses as well', async () => {
    always(s3Error(400, 'AuthorizationHeaderMalformed', '<Region>right-2</Region>'));
    const e = await failing((await open()).load(pack('a')));
    expect(e).toMatchObject({ code: 'usage', hint: expect.stringContaining('s3.region') });
    expect(server.calls).toHaveLength(2);
  });

  it('is its clock', async () => {
    const theirs = Date.now() + 3 * 3_600_000;
    const told: number[] = [];
    server.answer = ({ headers }) => {
      const text = String(headers['x-amz-date']);
      const iso = text.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5');
      told.push(Date.parse(iso) - theirs);
      const date = { date: new Date(theirs).toUTCString() };
      return Math.abs(told.at(-1) ?? 0) < 900_000
        ? undefined
        : s3Error(403, 'RequestTimeTooSkewed', '', date);
    };
    const s3 = await open();
    await s3.save(pack('a'), [bytes('x')]);
    expect(told).toHaveLength(2);
    expect(server.objects.size).toBe(1);
  });

  it('signs as a passing key, if it is one', async () => {
    const login = { get: async () => ({ ...KEY, sessionToken: 'token' }), put: async () => undefined };
    await (await open({ login })).save(pack('a'), []);
    expect(server.seen[0]?.headers['x-amz-security-token']).toBe('token');
  });

  it('is asked with a key that a program of the profile tells', async () => {
    const home = temp.dir('home');
    const script = join(home, 'key.mjs');
    const told = JSON.stringify({ Version: 1, AccessKeyId: 'told', SecretAccessKey: 'x' });
    fs.writeFileSync(script, `console.log(${JSON.stringify(told)})`);
    const file = join(home, 'config');
    fs.writeFileSync(file, `[default]\ncredential_process = "${process.execPath}" "${script}"\n`);
    const env = { HOME: home, AWS_CONFIG_FILE: file, AWS_SHARED_CREDENTIALS_FILE: join(home, 'none') };
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    const s3 = await openS3(target(), { env });
    opened.push(s3);
    await s3.save(pack('a'), []);
    expect(server.seen[0]?.headers.authorization).toContain('Credential=told/');
  });
});

/** A proxy before all of Amazon, whose hosts answer as `host` says; tells the hosts that were asked for. */
async function amazon(host: (name: string) => S3Answer) {
  const asked: string[] = [];
  const hosts = https.createServer({ key: TLS_KEY, cert: CERTIFICATE }, (request, response) => {
    const told = host(request.headers.host ?? '');
    if (typeof told === 'string') return;
    request.resume().on('end', () => response.writeHead(told.status, told.headers).end(told.body));
  });
  const proxy = http.createServer().on('connect', (request, socket) => {
    asked.push(request.url ?? '');
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    hosts.emit('connection', socket);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  return {
    asked,
    env: { HTTPS_PROXY: `http://127.0.0.1:${port}` },
    [Symbol.dispose]: () => void proxy.close(),
  };
}

describe('hosts', () => {
  const stored = { status: 200, headers: { etag: '"x"' } } satisfies S3Answer;

  it.each([
    ['auto', 's3.example.com', '/bucket/place/config'],
    ['path', 's3.example.com', '/bucket/place/config'],
    ['dns', 'bucket.s3.example.com', '/place/config'],
  ])('of buckets by lookup “%s”', async (lookup, host, path) => {
    always(stored);
    const env = { HTTP_PROXY: server.endpoint };
    const options = new Map([['s3.bucket-lookup', lookup]]);
    const s3 = await openS3('http://s3.example.com/bucket/place', { ...LOGIN, env, options });
    opened.push(s3);
    await s3.save(CONFIG_HANDLE, []);
    const [seen] = server.seen;
    expect(seen?.headers.host).toBe(host);
    expect(seen?.path).toBe(path);
  });

  it('of Amazon are those of the bucket’s region, once that is known', async () => {
    using proxy = await amazon((name) =>
      name.includes('eu-west-3')
        ? stored
        : s3Error(301, 'PermanentRedirect', '', { 'x-amz-bucket-region': 'eu-west-3' }),
    );
    for (const target of ['s3.amazonaws.com/bucket/place', 's3.eu-central-1.amazonaws.com/bucket/place']) {
      const s3 = await openS3(target, { ...LOGIN, env: proxy.env, tls: { insecure: true } });
      await s3.save(CONFIG_HANDLE, []);
      await s3.close();
    }
    expect(proxy.asked).toEqual([
      'bucket.s3.us-east-1.amazonaws.com:443',
      'bucket.s3.eu-west-3.amazonaws.com:443',
      'bucket.s3.eu-central-1.amazonaws.com:443',
      'bucket.s3.eu-west-3.amazonaws.com:443',
    ]);
  });
});

describe('pacing', () => {
  it('takes each piece out of the allowance, both ways', async () => {
    const taken: { readonly way: string; readonly bytes: number }[] = [];
    const pace: Pace = {
      up: async (n) => void taken.push({ way: 'up', bytes: n }),
      down: async (n) => void taken.push({ way: 'down', bytes: n }),
      piece: 10_000,
    };
    const data = Buffer.alloc(123_456, 'some bytes');
    const s3 = await open();
    await s3.save(pack('a'), [data.subarray(0, 15_000), data.subarray(15_000)], { pace });
    expect(Buffer.from(await s3.load(pack('a'), { pace })).equals(data)).toBe(true);
    const sum = (way: string) => taken.filter((t) => t.way === way).reduce((n, t) => n + t.bytes, 0);
    expect([sum('up'), sum('down')]).toEqual([data.length, data.length]);
    expect(Math.max(...taken.map((t) => t.bytes))).toBe(10_000);
  });
});

describe('lists', () => {
  it('of version 1 go on after the last name', async () => {
    server.pageSize = 2;
    const s3 = await open({ options: new Map([['s3.list-objects-v1', 'true']]) });
    const names = ['a', 'b', 'c', 'd', 'e'].map((text) => pack(text).name).sort();
    for (const name of names) await s3.save({ type: 'index', name }, []);
    expect((await all(s3.list('index'))).map(({ name }) => name)).toEqual(names);
    expect(server.calls.filter((call) => call.startsWith('GET'))).toHaveLength(3);
    expect(server.seen.some(({ query }) => query.has('list-type'))).toBe(false);
  });

  it.each([
    ['a page of something else', '<html><body>Please sign in to this network</body></html>'],
    ['nothing', ''],
    [
      'a page that does not say where the next begins',
      '<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>',
    ],
  ])('%s is no empty list', async (_, body) => {
    always({ status: 200, body });
    expect(await failing(all((await open()).list('pack')))).toMatchObject({
      name: 'EngineError',
      code: 'io',
    });
  });

  it('show no objects that are not of a repository', async () => {
    const s3 = await open();
    const { name } = pack('a');
    for (const key of [
      `data/${name}`,
      `data/zz/${name}`,
      `data/${name.slice(0, 2)}/${name}-x`,
      'data/readme',
    ]) {
      server.objects.set(`place/${key}`, Buffer.alloc(1));
    }
    expect(await all(s3.list('pack'))).toEqual([]);
  });
});

describe('facts', () => {
  const facts = (versioning: S3Answer, lock: S3Answer) => {
    server.answer = ({ query }) => (query.has('versioning') ? versioning : lock);
  };
  const ok = (body: string) => ({ status: 200, body }) satisfies S3Answer;
  const noLock = s3Error(404, 'ObjectLockConfigurationNotFoundError');
  const status = (text: string) =>
    ok(`<VersioningConfiguration><Status>${text}</Status></VersioningConfiguration>`);
  const rule = (text: string) =>
    ok(
      `<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>${text}</ObjectLockConfiguration>`,
    );
  const retention = (text: string) => rule(`<Rule><DefaultRetention>${text}</DefaultRetention></Rule>`);

  it.each([
    ['nothing', ok('<VersioningConfiguration/>'), noLock, 'off', null],
    ['versions', status('Enabled'), noLock, 'on', null],
    ['versions no more', status('Suspended'), noLock, 'suspended', null],
    ['locks without a rule', status('Enabled'), rule(''), 'on', { mode: null, days: null }],
    [
      'days',
      status('Enabled'),
      retention('<Mode>GOVERNANCE</Mode><Days>30</Days>'),
      'on',
      { mode: 'governance', days: 30 },
    ],
    [
      'years',
      status('Enabled'),
      retention('<Mode>COMPLIANCE</Mode><Years>2</Years>'),
      'on',
      { mode: 'compliance', days: 730 },
    ],
    ['what is not told', s3Error(403, 'AccessDenied'), s3Error(501, 'NotImplemented'), null, null],
  ] as const)('%s', async (_, versioned, locked, versioning, objectLock) => {
    facts(versioned, locked);
    const told = await (await open()).facts?.();
    expect(told).toEqual({ account: null, appendOnly: false, versioning, objectLock });
  });

  it('a key that is refused is no fact', async () => {
    facts(s3Error(403, 'InvalidAccessKeyId'), s3Error(403, 'InvalidAccessKeyId'));
    expect(await failing((await open()).facts!())).toMatchObject({ code: 'auth-expired' });
  });
});

describe('parts', () => {
  const PARTS = { above: 10_000, partBytes: 4_000 };

  it('are of one size, but for the last, whatever the pieces', () => {
    const data = Buffer.from(Array.from({ length: 10_000 }, (_, i) => i));
    const pieces = [data.subarray(0, 1), data.subarray(1, 9_000), Buffer.alloc(0), data.subarray(9_000)];
    const parts = [...partsOf(pieces, 4_000)].map((part) => Buffer.concat(part));
    expect(parts.map(({ length }) => length)).toEqual([4_000, 4_000, 2_000]);
    expect(Buffer.concat(parts).equals(data)).toBe(true);
    expect([...partsOf([data], 5_000)]).toHaveLength(2);
    expect([...partsOf([], 5_000)]).toEqual([]);
  });

  it('come together as one file', async () => {
    const s3 = await open({}, PARTS);
    const data = Buffer.alloc(15_000, 'abcdefg');
    await s3.save(pack('a'), [data]);
    expect(Buffer.from(await s3.load(pack('a'))).equals(data)).toBe(true);
    const key = `place/data/${pack('a').name.slice(0, 2)}/${pack('a').name}`;
    const [began, ...sent] = server.calls;
    expect(began).toBe(`POST ${key}?uploads`);
    expect(sent.filter((call) => call === `PUT ${key}?partNumber`)).toHaveLength(4);
  });

  it.each([
    ['a part that is refused', isPut, s3Error(507, 'XMinioStorageFull'), 'no-space', false],
    [
      'an end that turns out a failure',
      ({ method, query }: S3Seen) => method === 'POST' && query.has('uploadId'),
      { ...s3Error(200, 'InternalError') },
      'io',
      true,
    ],
  ] as const)('%s leaves nothing behind', async (_, fits, answer, code, transient) => {
    const s3 = await open({}, PARTS);
    once(fits, answer);
    expect(await failing(s3.save(pack('a'), [new Uint8Array(11_000)]))).toMatchObject({ code, transient });
    expect(server.calls.at(-1)).toMatch(/^DELETE .*\?uploadId$/);
    expect(server.objects.size).toBe(0);
  });

  it('an abort between them leaves nothing behind', async () => {
    const s3 = await open({}, PARTS);
    const abort = new AbortController();
    server.answer = ({ query }) => {
      if (query.get('partNumber') === '2') abort.abort();
      return undefined;
    };
    const e = await failing(s3.save(pack('a'), [new Uint8Array(11_000)], { signal: abort.signal }));
    expect(e).toMatchObject({ code: 'cancelled' });
    expect(server.objects.size).toBe(0);
    expect(server.calls.at(-1)).toMatch(/^DELETE .*\?uploadId$/);
  });

  it('of a stopped run are cleaned away, and nobody else’s', async () => {
    const { name } = pack('a');
    const upload = (key: string, day: number) =>
      `<Upload><Key>${key}</Key><UploadId>u${day}</UploadId><Initiated>2026-01-0${day}T00:00:00Z</Initiated></Upload>`;
    const old = `place/index/${name}`;
    const pages = [
      `<IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker><NextUploadIdMarker>i</NextUploadIdMarker>${upload(old, 1)}${upload('place/photo', 1)}`,
      `<IsTruncated>false</IsTruncated>${upload(old, 9)}`,
    ];
    server.answer = ({ query }) =>
      query.has('uploads')
        ? {
            status: 200,
            body: `<ListMultipartUploadsResult>${pages[query.has('key-marker') ? 1 : 0]}</ListMultipartUploadsResult>`,
          }
        : undefined;
    const now = Date.UTC(2026, 0, 10);
    expect(await (await open()).cleanTemporary?.({ now })).toBe(1);
    const removed = server.seen.filter(({ method }) => method === 'DELETE');
    expect(removed.map(({ key, query }) => [key, query.get('uploadId')])).toEqual([[old, 'u1']]);
  });
});

it('sends the storage class that is wanted', async () => {
  const s3 = await open({ options: new Map([['s3.storage-class', 'STANDARD_IA']]) });
  await s3.save(pack('a'), []);
  expect(server.seen[0]?.headers['x-amz-storage-class']).toBe('STANDARD_IA');
});
