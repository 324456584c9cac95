/** S3 against a real server, and beside the real restic. */
import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  ListObjectVersionsCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Backend, CONFIG_HANDLE, type Handle, type Pace } from '../../src/backend/backend.ts';
import type { StorageSetting } from '../../src/backend/registry.ts';
import { createS3, openS3 } from '../../src/backend/s3/s3.ts';
import { backendContract } from '../contract/backend.ts';
import { expectSame, snapshotOf } from '../helpers/compare.ts';
import { Holdfast } from '../helpers/holdfast.ts';
import { Restic } from '../helpers/restic.ts';
import { useSharedTemp, useTemp } from '../helpers/scope.ts';
import { hasTool, requireTool } from '../helpers/tools.ts';
import { file, tree, writeTree } from '../helpers/tree.ts';
import { S3_KEY, VersityGw } from '../helpers/versitygw.ts';

const MIB = 1 << 20;
const KEY_ENV = { AWS_ACCESS_KEY_ID: S3_KEY.accessKeyId, AWS_SECRET_ACCESS_KEY: S3_KEY.secretAccessKey };
const temp = useTemp();
const shared = useSharedTemp();
let server: VersityGw;
let count = 0;

beforeAll(async () => {
  if (hasTool('versitygw')) server = await VersityGw.start(shared.dir('s3'));
});
afterAll(() => server?.[Symbol.asyncDispose]());
beforeEach((context) => requireTool(context, 'versitygw'));

const setting: StorageSetting = { login: { get: async () => S3_KEY, put: async () => undefined } };
const place = (bucket = 'backups') => `${server.endpoint}/${bucket}/some/place-${count++}`;

function contract(name: string, o: StorageSetting): void {
  backendContract(`s3, ${name}`, async () => {
    const target = place();
    const backend = await createS3(target, { ...setting, ...o });
    const other = await openS3(target, setting);
    return { backend, other, secrets: [S3_KEY.secretAccessKey], dispose: () => other.close() };
  });
}

contract('versitygw', {});
contract('versitygw, lists of version 1, one connection', {
  options: new Map([
    ['s3.list-objects-v1', 'true'],
    ['s3.connections', '1'],
  ]),
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const packOf = (data: Uint8Array): Handle => ({
  type: 'pack',
  name: createHash('sha256').update(data).digest('hex'),
});

/** A client of the bucket's owner, for what a repository never does. */
function owner(): S3Client {
  return new S3Client({
    endpoint: server.endpoint,
    region: 'us-east-1',
    credentials: S3_KEY,
    forcePathStyle: true,
  });
}

async function using<T>(opening: Promise<Backend>, work: (backend: Backend) => Promise<T>): Promise<T> {
  const backend = await opening;
  try {
    return await work(backend);
  } finally {
    await backend.close();
  }
}

/** Both programs at one repository, with the key in the environment. */
class S3Restic extends Restic {
  protected override ownEnvironment(): Readonly<Record<string, string>> {
    return { ...super.ownEnvironment(), ...KEY_ENV };
  }
}

class S3Holdfast extends Holdfast {
  protected override ownEnvironment(): Readonly<Record<string, string>> {
    return { ...super.ownEnvironment(), ...KEY_ENV };
  }
}

function pair(target: string): { readonly restic: S3Restic; readonly holdfast: S3Holdfast } {
  const cli = { home: temp.dir('home'), repository: `s3:${target}` };
  return { restic: new S3Restic(cli), holdfast: new S3Holdfast(cli) };
}

function writeSource(folder: string, seed: number): void {
  const many = Array.from(
    { length: 100 },
    (_, n) => [`small ${n}`, file(`${seed} ${n}\n`.repeat(n))] as const,
  );
  const root = tree({
    large: file({ seed, size: 40 * MIB + 7 }),
    other: file({ seed: seed + 1, size: 3 * MIB }),
    small: tree(Object.fromEntries(many)),
  });
  writeTree(join(folder, 'tree'), root);
}

/** Backs up twice, forgets the first and prunes; restic reads all there is, and each restores what the other stored. */
async function liveThrough(target: string): Promise<void> {
  const { restic, holdfast } = pair(target);
  const folder = temp.dir('source');
  await holdfast.init();
  writeSource(folder, 1);
  await holdfast.backup(['tree'], { cwd: folder });
  fs.rmSync(join(folder, 'tree', 'large'));
  fs.writeFileSync(join(folder, 'tree', 'new'), randomBytes(9 * MIB));
  await restic.backup(['tree'], { cwd: folder });
  const packs = (await holdfast.list('packs')).length;
  await holdfast.call(['forget', '--keep-last', '1', '--prune']);
  expect((await holdfast.list('packs')).length).toBeLessThan(packs);
  await restic.call(['check', '--read-data']);
  await holdfast.call(['check', '--read-data']);
  const want = snapshotOf(folder);
  for (const cli of [restic, holdfast]) {
    const into = temp.dir('restored');
    await cli.restore('latest', into);
    expectSame(snapshotOf(into), want, { root: false });
  }
}

describe('with restic at the same repository', () => {
  it('backs up, prunes and checks; each reads what the other wrote', async (context) => {
    requireTool(context, 'restic');
    await liveThrough(place());
  });

  it('opens what restic has made', async (context) => {
    requireTool(context, 'restic');
    const { restic, holdfast } = pair(place());
    const folder = temp.dir('source');
    writeTree(join(folder, 'tree'), tree({ a: file('a') }));
    await restic.init();
    await restic.backup(['tree'], { cwd: folder });
    expect(await holdfast.snapshots()).toHaveLength(1);
    const again = await holdfast.try(['init']);
    expect(again.code).not.toBe(0);
    expect(again.stderr).toContain('already');
  });

  it('lives with a bucket that keeps versions and locks them', async (context) => {
    requireTool(context, 'restic');
    const Bucket = `locked-${count++}`;
    const client = owner();
    await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    await client.send(
      new PutObjectLockConfigurationCommand({
        Bucket,
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 3 } },
        },
      }),
    );
    const target = place(Bucket);
    await using(openS3(target, setting), async (s3) => {
      const objectLock = { mode: 'governance', days: 3 };
      expect(await s3.facts?.()).toEqual({ account: null, appendOnly: false, versioning: 'on', objectLock });
      const h = packOf(bytes('kept'));
      await s3.save(h, [bytes('kept')]);
      await s3.remove(h);
      await expect(s3.load(h)).rejects.toMatchObject({ code: 'not-found' });
    });
    await liveThrough(target);
    const { Versions } = await client.send(new ListObjectVersionsCommand({ Bucket }));
    expect(Versions?.some(({ Key, IsLatest }) => !IsLatest && Key?.includes('/data/'))).toBe(true);
  });
});

describe('what the server refuses', () => {
  const withKey = (key: Readonly<Record<string, string>>): StorageSetting => ({
    login: { get: async () => ({ ...S3_KEY, ...key }), put: async () => undefined },
  });

  it.each([
    ['a wrong secret', { secretAccessKey: 'wrong' }],
    ['an unknown key', { accessKeyId: 'nobody' }],
  ])('%s is no login', async (_, key) => {
    await using(openS3(place(), withKey(key)), async (s3) => {
      const h = packOf(bytes('x'));
      const want = { name: 'EngineError', code: 'auth-expired', transient: false };
      await expect(s3.stat(CONFIG_HANDLE)).rejects.toMatchObject(want);
      await expect(s3.save(h, [bytes('x')])).rejects.toMatchObject(want);
      await expect(s3.list('pack')[Symbol.asyncIterator]().next()).rejects.toMatchObject(want);
    });
    await expect(createS3(place('another'), withKey(key))).rejects.toMatchObject({ code: 'auth-expired' });
  });

  it('a bucket that is not there', async () => {
    await using(openS3(place('no-such-bucket'), setting), async (s3) => {
      const want = { code: 'repository-missing', message: expect.stringContaining('bucket') };
      await expect(s3.stat(CONFIG_HANDLE)).rejects.toMatchObject(want);
      await expect(s3.save(packOf(bytes('x')), [bytes('x')])).rejects.toMatchObject(want);
      await expect(s3.list('pack')[Symbol.asyncIterator]().next()).rejects.toMatchObject(want);
      await expect(s3.facts?.()).rejects.toMatchObject(want);
    });
  });

  it('the region, until it has named the right one', async () => {
    const options = new Map([['s3.region', 'mars-1']]);
    await using(createS3(place(), { ...setting, options }), async (s3) => {
      await s3.save(packOf(bytes('x')), [bytes('x')]);
      expect(await s3.stat(packOf(bytes('x')))).toMatchObject({ size: 1 });
    });
  });

  it('a clock that is wrong, once', async () => {
    const now = vi
      .spyOn(Date, 'now')
      .mockImplementation(() => performance.timeOrigin + performance.now() - 7_200_000);
    try {
      await using(openS3(place(), setting), async (s3) => {
        await s3.save(packOf(bytes('x')), [bytes('x')]);
        expect(await s3.stat(packOf(bytes('x')))).toMatchObject({ size: 1 });
      });
      expect(now).toHaveBeenCalled();
    } finally {
      now.mockRestore();
    }
  });
});

describe('sums and parts', () => {
  it('the server tells the SHA-256 of each file', async () => {
    await using(createS3(place(), setting), async (s3) => {
      for (let n = 0; n < 20; n++) await s3.save(packOf(bytes(`pack ${n}`)), [bytes(`pack ${n}`)]);
      let seen = 0;
      for await (const { name, checksum, storedAt } of s3.list('pack', { checksums: true })) {
        expect(checksum).toEqual({ kind: 'sha256', value: name });
        expect(storedAt).toBeGreaterThan(0);
        seen++;
      }
      expect(seen).toBe(20);
    });
  });

  it('a large file comes together of its parts, and has no sum', async () => {
    const parts = { above: 11 * MIB, partBytes: 5 * MIB };
    await using(createS3(place(), setting, parts), async (s3) => {
      const data = randomBytes(12 * MIB);
      await s3.save(packOf(data), [data.subarray(0, MIB), data.subarray(MIB)]);
      expect(Buffer.compare(await s3.load(packOf(data)), data)).toBe(0);
      for await (const file of s3.list('pack', { checksums: true })) {
        expect(file).toMatchObject({ name: packOf(data).name, size: data.length });
        expect(file.checksum).toBeUndefined();
      }
      expect(await s3.cleanTemporary?.({ olderThanMs: -60_000 })).toBe(0);
    });
  });

  it('parts of a stopped run are cleaned away', async () => {
    const target = place();
    await using(createS3(target, setting), async (s3) => {
      const { name } = packOf(bytes('never finished'));
      const folder = target.slice(target.indexOf('some/'));
      const Key = `${folder}/data/${name.slice(0, 2)}/${name}`;
      await owner().send(new CreateMultipartUploadCommand({ Bucket: 'backups', Key }));
      expect(await s3.cleanTemporary?.()).toBe(0);
      expect(await s3.cleanTemporary?.({ olderThanMs: -60_000 })).toBe(1);
      expect(await s3.cleanTemporary?.({ olderThanMs: -60_000 })).toBe(0);
    });
  });
});

describe('a server that is lost', () => {
  it('in the midst of a save, leaves nothing half', async () => {
    const target = place();
    await using(createS3(target, setting), async (s3) => {
      const data = randomBytes(8 * MIB);
      await s3.save(packOf(bytes('before')), [bytes('before')]);
      let left = 4 * MIB;
      let killed = false;
      const pace: Pace = {
        async up(n) {
          left -= n;
          if (left < 0 && !killed) {
            killed = true;
            await server.kill();
          }
        },
        down: async () => undefined,
        piece: 256 << 10,
      };
      const lost = { code: 'unreachable', transient: true };
      await expect(s3.save(packOf(data), [data], { pace })).rejects.toMatchObject(lost);
      expect(killed).toBe(true);
      await expect(s3.load(packOf(bytes('before')))).rejects.toMatchObject(lost);
      await server.start();
      await expect(s3.stat(packOf(data))).rejects.toMatchObject({ code: 'not-found' });
      expect(Buffer.from(await s3.load(packOf(bytes('before')))).toString()).toBe('before');
      await s3.save(packOf(data), [data]);
      expect(Buffer.compare(await s3.load(packOf(data)), data)).toBe(0);
    });
  });
});
