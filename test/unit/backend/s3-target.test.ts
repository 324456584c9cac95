import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { identityOf, parseSections } from '../../../src/backend/s3/login.ts';
import { openS3 } from '../../../src/backend/s3/s3.ts';
import { isPathStyle, parseOptions, parseTarget, regionOf } from '../../../src/backend/s3/target.ts';
import { useTemp } from '../../helpers/scope.ts';

const temp = useTemp();
const options = (o: Readonly<Record<string, string>> = {}) => parseOptions(new Map(Object.entries(o)));

describe('the address of a bucket', () => {
  it.each([
    ['https://host:9000/bucket', 'https://host:9000', 'bucket', ''],
    ['http://127.0.0.1:9000/bucket/', 'http://127.0.0.1:9000', 'bucket', ''],
    ['http://[::1]:9000/b/p', 'http://[::1]:9000', 'b', 'p/'],
    ['HTTPS://Host/bucket/a/b', 'https://host', 'bucket', 'a/b/'],
    ['host/bucket/prefix/', 'https://host', 'bucket', 'prefix/'],
    ['//host:9000/bucket/prefix', 'https://host:9000', 'bucket', 'prefix/'],
    ['s3.amazonaws.com/bucket', 'https://s3.amazonaws.com', 'bucket', ''],
    ['https://host/bucket/a%20b//c/./d', 'https://host', 'bucket', 'a b/c/d/'],
    ['host/bucket/a%20b', 'https://host', 'bucket', 'a%20b/'],
  ])('%s', (target, endpoint, bucket, prefix) => {
    expect(parseTarget(target)).toMatchObject({ endpoint, bucket, prefix });
  });

  it.each([
    ['', 'names no host'],
    ['host', 'names no bucket'],
    ['https://host/', 'names no bucket'],
    ['https:///bucket', 'names no host'],
    ['https://host/bucket//a', 'has a folder without a name'],
    ['host/bucket/../..', 'has a folder without a name'],
    ['host/bucket/a?b', 'may not hold ? or #'],
    ['https://host/bucket/%zz', 'percent sign'],
    ['ftp://host/bucket', 'names no bucket'],
  ])('refuses “%s”', (target, why) => {
    expect(() => parseTarget(target)).toThrow(why);
  });

  it('takes no login, and does not repeat it', async () => {
    const opening = openS3('https://ann:secret@host/bucket', {});
    await expect(opening).rejects.toMatchObject({ code: 'usage' });
    await expect(opening).rejects.not.toThrow('secret');
  });

  it.each([
    ['s3.eu-central-1.amazonaws.com/b', 'eu-central-1'],
    ['s3-eu-west-1.amazonaws.com/b', 'eu-west-1'],
    ['s3.dualstack.us-west-2.amazonaws.com/b', 'us-west-2'],
    ['s3.us-gov-west-1.amazonaws.com/b', 'us-gov-west-1'],
    ['s3.cn-north-1.amazonaws.com.cn/b', 'cn-north-1'],
    ['s3.amazonaws.com/b', undefined],
    ['s3.us-east-1.example.com/b', undefined],
  ])('knows the region of %s', (target, region) => {
    const parsed = parseTarget(target);
    expect(parsed).toMatchObject({ region, aws: target.includes('amazonaws') });
    expect(isPathStyle(parsed, options())).toBe(!parsed.aws);
  });

  it('lets an option say more than the host, and that more than the environment', () => {
    const host = parseTarget('s3.eu-central-1.amazonaws.com/b');
    const env = { AWS_DEFAULT_REGION: 'de-1', AWS_REGION: 'de-2' };
    expect(regionOf(host, options({ 's3.region': 'x' }), env)).toBe('x');
    expect(regionOf(host, options(), env)).toBe('eu-central-1');
    expect(regionOf(parseTarget('host/b'), options(), env)).toBe('de-2');
    expect(regionOf(parseTarget('host/b'), options(), { AWS_DEFAULT_REGION: 'de-1' })).toBe('de-1');
  });
});

describe('options', () => {
  it('have usual values', () => {
    expect(options({ 'rest.connections': '99' })).toEqual({
      region: undefined,
      lookup: 'auto',
      storageClass: undefined,
      connections: 5,
      listV1: false,
    });
  });

  it('are what is told', () => {
    const told = {
      's3.bucket-lookup': 'dns',
      's3.storage-class': 'standard_ia',
      's3.connections': '20',
      's3.list-objects-v1': 'true',
    };
    expect(options(told)).toEqual({
      region: undefined,
      lookup: 'dns',
      storageClass: 'STANDARD_IA',
      connections: 20,
      listV1: true,
    });
    expect(isPathStyle(parseTarget('host/b'), options(told))).toBe(false);
  });

  it.each([
    ['s3.conections', '5', 's3.connections'],
    ['s3.connections', '0', '1 to 100'],
    ['s3.connections', 'many', '1 to 100'],
    ['s3.bucket-lookup', 'virtual', 'auto, dns, path'],
    ['s3.list-objects-v1', 'yes', 'true, false'],
    ['s3.storage-class', 'DEEP_ARCHIVE', 'read at once'],
  ])('refuse %s=%s', (name, value, words) => {
    let refused: unknown;
    try {
      options({ [name]: value });
    } catch (e) {
      refused = e;
    }
    expect(refused).toMatchObject({ name: 'EngineError', code: 'usage' });
    const { message, hint } = refused as { message: string; hint?: string };
    expect(`${message} ${hint}`).toContain(words);
  });
});

describe('who we are', () => {
  const keeper = (login: Readonly<Record<string, string>>) => ({
    get: async () => login,
    put: async () => undefined,
  });
  const envKey = { AWS_ACCESS_KEY_ID: 'env', AWS_SECRET_ACCESS_KEY: 'env secret' };

  /** An environment whose home has these files of Amazon's tools. */
  function home(files: Readonly<Record<string, string>>) {
    const HOME = temp.dir('home');
    fs.mkdirSync(join(HOME, '.aws'));
    for (const [name, text] of Object.entries(files)) fs.writeFileSync(join(HOME, '.aws', name), text);
    return { HOME };
  }

  const files = {
    credentials:
      '[default]\naws_access_key_id = file\naws_secret_access_key=file secret=\n\n[work]\nAWS_ACCESS_KEY_ID=work\naws_secret_access_key=x\naws_session_token=t\n',
    config:
      '[default]\nregion = eu-north-1\n# a remark\n[profile work]\nregion=eu-west-3\ns3 =\n  region = no\n',
  };

  it('is the kept login before the environment, and that before the files', async () => {
    const env = { ...home(files), ...envKey };
    const kept = { accessKeyId: 'kept', secretAccessKey: 'kept secret', sessionToken: 'token' };
    expect(await identityOf({ login: keeper(kept), env })).toMatchObject({ key: kept, region: 'eu-north-1' });
    const { key } = await identityOf({ login: keeper({}), env });
    expect(key).toEqual({ accessKeyId: 'env', secretAccessKey: 'env secret' });
    const { HOME } = env;
    const fromFile = await identityOf({ env: { HOME } });
    expect(fromFile.key).toEqual({ accessKeyId: 'file', secretAccessKey: 'file secret=' });
  });

  it('is a profile, by the environment or the login', async () => {
    const env = { ...home(files), AWS_PROFILE: 'work' };
    const work = { accessKeyId: 'work', secretAccessKey: 'x', sessionToken: 't' };
    expect(await identityOf({ env })).toEqual({ key: work, profile: 'work', region: 'eu-west-3' });
    const byLogin = await identityOf({ login: keeper({ profile: 'work' }), env: { HOME: env.HOME } });
    expect(byLogin.key).toEqual(work);
  });

  it('may be kept in files elsewhere', async () => {
    const folder = temp.dir('elsewhere');
    const file = join(folder, 'keys');
    fs.writeFileSync(file, files.credentials);
    const { key } = await identityOf({ env: { HOME: folder, AWS_SHARED_CREDENTIALS_FILE: file } });
    expect(key?.accessKeyId).toBe('file');
  });

  it('is left to the SDK where a profile says how to come to a key', async () => {
    const env = home({ config: '[default]\ncredential_process = /bin/true\n' });
    expect(await identityOf({ env })).toEqual({ key: undefined, profile: 'default', region: undefined });
  });

  it('has to be told', async () => {
    const HOME = temp.dir('empty');
    await expect(identityOf({ env: { HOME } })).rejects.toMatchObject({ code: 'auth-expired' });
    await expect(identityOf({ env: { HOME, AWS_ACCESS_KEY_ID: 'half' } })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('AWS_SECRET_ACCESS_KEY'),
    });
  });

  it('reads sections that come twice, and Windows’ line ends', () => {
    const sections = parseSections('[a]\r\nx = 1\r\n[ b ]\r\ny=2\r\n[a]\r\nz=3\r\n');
    expect([...sections]).toEqual([
      ['a', { x: '1', z: '3' }],
      ['b', { y: '2' }],
    ]);
  });
});
