/** From what is typed into the forms of storages to locations, options and logins. */
import { describe, expect, it } from 'vitest';
import { cloudChanged, NO_CLOUD } from '../../../renderer/screens/add-destination/cloud.ts';
import {
  additionOf,
  elsewhere,
  mayGoOn,
  missingProtection,
  NEW_DRAFT,
  nameOf,
  tested,
} from '../../../renderer/screens/add-destination/draft.ts';
import { optionLines, parseOptions } from '../../../renderer/screens/add-destination/options.ts';
import {
  type Forms,
  NO_FORMS,
  placeOf,
  STORAGE_KINDS,
} from '../../../renderer/screens/add-destination/place.ts';
import { NO_REST, restPlace } from '../../../renderer/screens/add-destination/rest.ts';
import {
  endpointOf,
  NO_S3,
  S3_PROVIDERS,
  type S3Form,
  s3Place,
} from '../../../renderer/screens/add-destination/s3.ts';
import {
  NO_SFTP,
  type SftpForm,
  sftpChanged,
  sftpPlace,
} from '../../../renderer/screens/add-destination/sftp.ts';
import type { ConnectionTest } from '../../../src/api/model/destination.ts';
import { parseLocation } from '../../../src/backend/registry.ts';
import { parseTarget as parseS3 } from '../../../src/backend/s3/target.ts';
import { parseTarget } from '../../../src/backend/sftp/target.ts';
import { SCHEMES } from '../../../src/host/schemes.ts';

const s3 = (said: Partial<S3Form>) =>
  s3Place({ ...NO_S3, region: 'eu-central-1', bucket: 'ann-backup', ...said });
const sftp = (said: Partial<SftpForm>) =>
  sftpPlace({ ...NO_SFTP, host: 'nas', user: 'ann', folder: '/vol', ...said });

describe('S3', () => {
  it('makes the address of each provider from what the person knows', () => {
    const addresses = S3_PROVIDERS.map((provider) =>
      endpointOf({
        ...NO_S3,
        provider,
        region: ' EU-Central-003',
        account: 'AB12',
        endpoint: 'minio.lan:9000/',
      }),
    );
    expect(addresses).toEqual([
      'https://s3.eu-central-003.amazonaws.com',
      'https://s3.eu-central-003.backblazeb2.com',
      'https://s3.eu-central-003.wasabisys.com',
      'https://ab12.r2.cloudflarestorage.com',
      'https://minio.lan:9000',
    ]);
    expect(endpointOf({ ...NO_S3, region: 'cn-north-1' })).toBe('https://s3.cn-north-1.amazonaws.com.cn');
  });

  it('comes to a location, options and a login', () => {
    expect(
      s3({
        folder: '/holdfast//ann/',
        accessKeyId: ' AK ',
        secretAccessKey: 'SK',
        storageClass: 'STANDARD_IA',
      }),
    ).toEqual({
      location: 's3:https://s3.eu-central-1.amazonaws.com/ann-backup/holdfast/ann',
      options: { 's3.region': 'eu-central-1', 's3.storage-class': 'STANDARD_IA' },
      login: { accessKeyId: 'AK', secretAccessKey: 'SK' },
    });
  });

  it('takes a server of one’s own, also without TLS, and no region', () => {
    expect(s3({ provider: 'own', endpoint: 'http://10.0.0.5:9000/', region: '', lookup: 'path' })).toEqual({
      location: 's3:http://10.0.0.5:9000/ann-backup',
      options: { 's3.bucket-lookup': 'path' },
    });
    expect(s3({ provider: 'cloudflare', account: 'ab12', region: '' })).toEqual({
      location: 's3:https://ab12.r2.cloudflarestorage.com/ann-backup',
      options: { 's3.region': 'auto' },
    });
  });

  it('is read by the storage as it was typed', () => {
    const place = s3({ folder: '100% mine/what?/#1 ä' });
    if ('missing' in place) return expect.unreachable(place.missing);
    expect(parseS3(parseLocation(place.location, SCHEMES).target)).toMatchObject({
      endpoint: 'https://s3.eu-central-1.amazonaws.com',
      bucket: 'ann-backup',
      prefix: '100% mine/what?/#1 ä/',
    });
  });

  it('says what is missing', () => {
    expect(s3({ region: '' })).toEqual({ missing: 's3.missing.region' });
    expect(s3({ provider: 'cloudflare' })).toEqual({ missing: 's3.missing.account' });
    expect(s3({ provider: 'own', endpoint: '' })).toEqual({ missing: 's3.missing.endpoint' });
    expect(s3({ provider: 'own', endpoint: 'https://minio.lan/path' })).toEqual({
      missing: 's3.missing.endpoint',
    });
    expect(s3({ provider: 'own', endpoint: 'https://minio.lan?x=1' })).toEqual({
      missing: 's3.missing.endpoint',
    });
    expect(s3({ bucket: ' ' })).toEqual({ missing: 's3.missing.bucket' });
    expect(s3({ bucket: 'a/b' })).toEqual({ missing: 's3.missing.bucket' });
    expect(s3({ accessKeyId: 'AK' })).toEqual({ missing: 's3.missing.keys' });
  });
});

describe('SFTP', () => {
  it('is read by the storage as it was typed', () => {
    const typed = [
      { host: 'nas.lan', port: '2222', user: 'ann', folder: '/volume1/back up/50% off' },
      { host: 'fd00::1', port: '', user: 'ann@corp', folder: 'holdfast' },
      { host: 'nas', port: '22', user: '', folder: '/ä#b?c' },
    ];
    for (const { host, port, user, folder } of typed) {
      const place = sftpPlace({ ...NO_SFTP, host, port, user, folder });
      if ('missing' in place) return expect.unreachable(place.missing);
      expect(parseTarget(parseLocation(place.location, SCHEMES).target)).toEqual({
        host,
        port: port === '' ? undefined : Number(port),
        user: user === '' ? undefined : user,
        folder,
      });
    }
  });

  it('hands on only what belongs to the way of signing in that was chosen', () => {
    const all = {
      password: ' pass ',
      keyFile: '/home/ann/.ssh/id',
      passphrase: 'phrase',
      hostKey: 'SHA256:x',
    };
    expect(sftp({ ...all, entry: 'password' })).toEqual({
      location: 'sftp://ann@nas//vol',
      options: {},
      login: { password: ' pass ', hostKey: 'SHA256:x' },
    });
    expect(sftp({ ...all, entry: 'key' })).toEqual({
      location: 'sftp://ann@nas//vol',
      options: { 'sftp.identity-file': '/home/ann/.ssh/id' },
      login: { passphrase: 'phrase', hostKey: 'SHA256:x' },
    });
    expect(sftp({ ...all, entry: 'agent', hostKey: '' })).toEqual({
      location: 'sftp://ann@nas//vol',
      options: {},
    });
  });

  it('forgets whom it trusts when another server is meant', () => {
    const trusted = { ...NO_SFTP, host: 'nas', hostKey: 'SHA256:x' };
    expect(sftpChanged(trusted, { password: 'p' }).hostKey).toBe('SHA256:x');
    expect(sftpChanged(trusted, { host: 'nas2' }).hostKey).toBe('');
    expect(sftpChanged(trusted, { port: '23' }).hostKey).toBe('');
    expect(sftpChanged(trusted, { hostKey: 'SHA256:y' }).hostKey).toBe('SHA256:y');
  });

  it('says what is missing', () => {
    expect(sftp({ host: '' })).toEqual({ missing: 'sftp.missing.host' });
    expect(sftp({ host: 'ann@nas' })).toEqual({ missing: 'sftp.missing.host' });
    expect(sftp({ port: '70000' })).toEqual({ missing: 'channel.missing.port' });
    expect(sftp({ folder: '' })).toEqual({ missing: 'sftp.missing.folder' });
    expect(sftp({ folder: '~/backup' })).toEqual({ missing: 'sftp.missing.folder' });
    expect(sftp({ entry: 'key' })).toEqual({ missing: 'sftp.missing.key' });
  });
});

describe('REST', () => {
  const rest = (address: string, login = { username: '', password: '' }) =>
    restPlace({ ...NO_REST, address, ...login });

  it('takes the address with or without its beginnings, and keeps secrets out of it', () => {
    expect(rest('backup.lan:8000/ann')).toEqual({
      location: 'rest:https://backup.lan:8000/ann/',
      options: {},
    });
    expect(rest('rest:http://127.0.0.1:8000/')).toEqual({
      location: 'rest:http://127.0.0.1:8000/',
      options: {},
    });
    expect(rest('rest:http+unix:///run/rest.sock:/ann', { username: 'a', password: 'b' })).toEqual({
      location: 'rest:http+unix:///run/rest.sock:/ann/',
      options: {},
      login: { username: 'a', password: 'b' },
    });
    expect(rest('https://ann:se%20cret@backup.lan/')).toEqual({
      location: 'rest:https://backup.lan/',
      options: {},
      login: { username: 'ann', password: 'se cret' },
    });
    expect(rest('https://ann:old@backup.lan/', { username: 'ann', password: 'new' })).toMatchObject({
      login: { username: 'ann', password: 'new' },
    });
  });

  it.each(['', 'ftp://backup.lan/', 'https://', 'https://backup.lan/?a=b', 'https://backup.lan/#x', 'a b'])(
    'does not take %j',
    (address) => expect(rest(address)).toEqual({ missing: 'rest.missing.address' }),
  );
});

describe('clouds', () => {
  it('need a sign-in and a folder', () => {
    const signedIn = { ...NO_CLOUD, signInId: 'one', folder: ' Backups / Ann/' };
    const forms = (gdrive: Forms['gdrive']): Forms => ({ ...NO_FORMS, gdrive, dropbox: gdrive });
    expect(placeOf('gdrive', forms(NO_CLOUD))).toEqual({ missing: 'cloud.missing.sign-in' });
    expect(placeOf('dropbox', forms({ ...signedIn, folder: '/' }))).toEqual({
      missing: 'cloud.missing.folder',
    });
    expect(
      placeOf(
        'gdrive',
        forms({ ...signedIn, clientId: ' mine ', clientSecret: 'secret', sharedDrive: '0AB' }),
      ),
    ).toEqual({
      location: 'gdrive:Backups/Ann',
      options: { 'gdrive.client-id': 'mine', 'gdrive.shared-drive': '0AB' },
      signInId: 'one',
    });
    expect(placeOf('dropbox', forms({ ...signedIn, sharedDrive: '0AB' }))).toEqual({
      location: 'dropbox:Backups/Ann',
      options: {},
      signInId: 'one',
    });
  });

  it('are signed in to anew by another client id', () => {
    const signedIn = { ...NO_CLOUD, signInId: 'one', account: 'ann' };
    expect(cloudChanged(signedIn, { folder: 'X' })).toMatchObject({ signInId: 'one', account: 'ann' });
    expect(cloudChanged(signedIn, { clientId: 'mine' }).signInId).toBeUndefined();
    expect(cloudChanged(signedIn, { clientSecret: 's' }).account).toBeUndefined();
  });
});

describe('options', () => {
  it('are lines of name and value', () => {
    const options = { 's3.connections': '8', 'gdrive.endpoint': 'http://127.0.0.1:1/?a=b' };
    expect(parseOptions(' s3.connections = 8 \n\ngdrive.endpoint=http://127.0.0.1:1/?a=b')).toEqual(options);
    expect(parseOptions(optionLines(options))).toEqual(options);
    expect(parseOptions('')).toEqual({});
    expect(parseOptions('s3.connections')).toBe('wrong');
    expect(parseOptions('connections=8')).toBe('wrong');
  });

  it('win over what the form says', () => {
    const forms = { ...NO_FORMS, s3: { ...NO_S3, region: 'eu-central-1', bucket: 'ann' } };
    expect(placeOf('s3', forms, 's3.region=us-east-1')).toMatchObject({
      options: { 's3.region': 'us-east-1' },
    });
    expect(placeOf('s3', forms, 'region')).toEqual({ missing: 'storage.options.wrong' });
  });
});

describe('a draft', () => {
  const found = (said: Partial<ConnectionTest> = {}): ConnectionTest => ({
    repository: false,
    writable: true,
    space: null,
    facts: null,
    problem: null,
    ...said,
  });
  const folder = elsewhere(NEW_DRAFT, { forms: { ...NO_FORMS, local: { folder: '/media/usb' } } });

  it('has a location that the host knows, whatever its kind', () => {
    const signedIn = { ...NO_CLOUD, signInId: 'one' };
    const forms: Forms = {
      local: { folder: '/media/usb' },
      gdrive: signedIn,
      dropbox: signedIn,
      s3: { ...NO_S3, region: 'x', bucket: 'ann' },
      sftp: { ...NO_SFTP, host: 'nas', folder: 'x' },
      rest: { ...NO_REST, address: 'backup.lan' },
    };
    for (const kind of STORAGE_KINDS) {
      const place = placeOf(kind, forms);
      if ('missing' in place) return expect.unreachable(place.missing);
      expect(parseLocation(place.location, SCHEMES).scheme.scheme).toBe(kind);
    }
  });

  it('is named by the person, else by its place, else by its kind', () => {
    const rest = {
      ...folder,
      kind: 'rest',
      forms: { ...NO_FORMS, rest: { ...NO_REST, address: 'https://b.lan:8/x' } },
    } as const;
    expect(nameOf(rest, 'REST server')).toBe('b.lan');
    expect(nameOf({ ...rest, name: 'Mine' }, 'REST server')).toBe('Mine');
    expect(nameOf(folder, 'Backup disk')).toBe('Backup disk');
    expect(nameOf({ ...folder, kind: 's3' }, 'S3')).toBe('S3');
  });

  it('goes on only where something can be kept or read', () => {
    expect(mayGoOn(folder)).toBe(false);
    expect(mayGoOn(tested(folder, found()))).toBe(true);
    expect(mayGoOn(tested(folder, found({ writable: false })))).toBe(false);
    const onlyRead = tested(folder, found({ writable: false, repository: true }));
    expect(mayGoOn(onlyRead)).toBe(true);
    expect(onlyRead.readOnly).toBe(true);
    expect(elsewhere(onlyRead, { lines: 's3.connections=8' })).toMatchObject({
      readOnly: false,
      test: undefined,
    });
  });

  it('comes to what the host is asked for', () => {
    const draft = { ...tested(folder, found()), upload: '2,5', password: 'pass' };
    expect(additionOf(draft, ' USB ')).toEqual({
      location: '/media/usb',
      options: {},
      name: 'USB',
      readOnly: false,
      uploadLimit: 2.5 * 1024 ** 2,
      downloadLimit: null,
      password: 'pass',
    });
    expect(additionOf(NEW_DRAFT, 'USB')).toBeUndefined();
    expect(missingProtection(draft, ' ')).toBe('add.name.empty');
    expect(missingProtection({ ...draft, download: 'fast' }, 'USB')).toBe('settings.limit.wrong');
    expect(missingProtection(tested(folder, found({ repository: true })), 'USB')).toBe(
      'add.password.missing',
    );
    expect(missingProtection(draft, 'USB')).toBeUndefined();
  });
});
