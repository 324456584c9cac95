import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FileKey, fileKey, openSealedFile } from '../../../src/secrets/sealed-file.ts';
import { CHEAP_KDF } from '../../helpers/repo.ts';
import { useTemp } from '../../helpers/scope.ts';

const temp = useTemp();
const PASSPHRASE = { passphrase: 'a passphrase of some length' };
const place = () => join(temp.dir('secrets'), 'secrets');
const posix = process.platform !== 'win32';

async function filled(path: string, key: FileKey): Promise<Buffer> {
  const secrets = await openSealedFile(path, key, { kdf: CHEAP_KDF });
  await secrets.set('repository:1', 'correct horse battery staple');
  return fs.readFileSync(path);
}

describe.each([
  ['a key', randomBytes(32), randomBytes(32)],
  ['a passphrase', PASSPHRASE, { passphrase: 'another passphrase of some length' }],
] as const)('a file sealed with %s', (_, key, other) => {
  it('shows nothing of names and values, and is its owner’s alone', async () => {
    const path = place();
    const content = (await filled(path, key)).toString('latin1');
    expect(content).not.toContain('horse');
    expect(content).not.toContain('repository');
    if (posix) expect(fs.statSync(path).mode & 0o777).toBe(0o600);
  });

  it('is other bytes after each change', async () => {
    const path = place();
    const before = await filled(path, key);
    const after = await filled(path, key);
    expect(after.subarray(-16).equals(before.subarray(-16))).toBe(false);
  });

  it('opens with no other key, says so, and stays as it is', async () => {
    const path = place();
    const before = await filled(path, key);
    for (const wrong of [other, randomBytes(32), PASSPHRASE].filter((k) => k !== key)) {
      const opening = openSealedFile(path, wrong);
      await expect(opening).rejects.toMatchObject({
        code: 'wrong-password',
        hint: expect.stringContaining('HOLDFAST_SECRET_KEY'),
      });
    }
    expect(fs.readFileSync(path).equals(before)).toBe(true);
  });

  it('is refused with any byte altered, and stays as it is', async () => {
    const path = place();
    const whole = await filled(path, key);
    for (let at = 0; at < whole.length; at++) {
      const harmed = Buffer.from(whole);
      harmed[at] = harmed[at]! ^ 0x01;
      fs.writeFileSync(path, harmed);
      await expect(openSealedFile(path, key), `byte ${at}`).rejects.toMatchObject({
        code: expect.stringMatching(/^(damaged|wrong-password|unsupported)$/),
      });
      expect(fs.readFileSync(path).equals(harmed)).toBe(true);
    }
  });

  it('is refused at any shorter length', async () => {
    const path = place();
    const whole = await filled(path, key);
    for (let length = 0; length < whole.length; length++) {
      fs.writeFileSync(path, whole.subarray(0, length));
      await expect(openSealedFile(path, key), `${length} bytes`).rejects.toMatchObject({ code: 'damaged' });
    }
  });

  it('that is damaged later is not written over', async () => {
    const path = place();
    const whole = await filled(path, key);
    const secrets = await openSealedFile(path, key);
    const harmed = Buffer.from(whole);
    harmed[whole.length - 1] = harmed[whole.length - 1]! ^ 1;
    fs.writeFileSync(path, harmed);
    await expect(secrets.set('b', '2')).rejects.toMatchObject({ code: 'damaged' });
    await expect(secrets.remove('repository:1')).rejects.toMatchObject({ code: 'damaged' });
    expect(fs.readFileSync(path).equals(harmed)).toBe(true);
    fs.writeFileSync(path, whole);
    await secrets.set('b', '2');
    expect(await secrets.names()).toEqual(['b', 'repository:1']);
  });
});

describe('the sealed file', () => {
  it('is made with the first secret, with its folder, and leaves nothing beside it', async () => {
    const folder = join(temp.dir('data'), 'deep', 'er');
    const secrets = await openSealedFile(join(folder, 'secrets'), randomBytes(32));
    expect(fs.existsSync(folder)).toBe(false);
    await secrets.remove('nothing');
    expect(fs.existsSync(folder)).toBe(false);
    await Promise.all(['a', 'b', 'c'].map((name) => secrets.set(name, name)));
    expect(fs.readdirSync(folder)).toEqual(['secrets']);
  });

  it('takes a passphrase however its accents are composed', async () => {
    const path = place();
    await filled(path, { passphrase: 'un mot de passe très long'.normalize('NFD') });
    const secrets = await openSealedFile(path, { passphrase: 'un mot de passe très long'.normalize('NFC') });
    expect(await secrets.names()).toEqual(['repository:1']);
  });

  it('stretches a passphrase with at least 64 MiB unless told otherwise, and knows it again', async () => {
    const path = place();
    await (await openSealedFile(path, PASSPHRASE)).set('a', 'b');
    const [log2n = 0, r = 0] = fs.readFileSync(path).subarray(10);
    expect(128 * r * 2 ** log2n).toBeGreaterThanOrEqual(64 * 1024 ** 2);
    expect(await (await openSealedFile(path, PASSPHRASE)).get('a')).toBe('b');
  });

  it('says that a header asking for an impossible derivation is damaged', async () => {
    const path = place();
    const file = await filled(path, PASSPHRASE);
    file[10] = 200;
    fs.writeFileSync(path, file);
    await expect(openSealedFile(path, PASSPHRASE)).rejects.toMatchObject({ code: 'damaged' });
  });

  it('keeps a file of a later version as it is', async () => {
    const [path, key] = [place(), randomBytes(32)];
    const later = await filled(path, key);
    later[8] = 2;
    fs.writeFileSync(path, later);
    await expect(openSealedFile(path, key)).rejects.toMatchObject({ code: 'unsupported' });
  });

  it('takes no key of another length', async () => {
    await expect(openSealedFile(place(), randomBytes(16))).rejects.toMatchObject({ code: 'usage' });
  });

  it('says what the system refuses', async () => {
    const folder = temp.dir('data');
    fs.writeFileSync(join(folder, 'file'), '');
    const path = join(folder, 'file', 'secrets');
    await expect(openSealedFile(path, randomBytes(32))).rejects.toMatchObject({ code: 'io' });
    fs.mkdirSync(join(folder, 'secrets'));
    await expect(openSealedFile(join(folder, 'secrets'), randomBytes(32))).rejects.toMatchObject({
      code: 'conflict',
    });
  });
});

describe('the key', () => {
  const bytes = randomBytes(32);

  it('of the environment is bytes in base64 or hexadecimal', async () => {
    const keyFile = place();
    for (const text of [bytes.toString('base64'), bytes.toString('base64url'), bytes.toString('hex')]) {
      const key = await fileKey({ env: { HOLDFAST_SECRET_KEY: ` ${text}\n` }, keyFile });
      expect(key).toEqual(bytes);
    }
    expect(fs.existsSync(keyFile)).toBe(false);
  });

  it('of the environment may be a passphrase, but no short one', async () => {
    const of = (text: string) => fileKey({ env: { HOLDFAST_SECRET_KEY: text }, keyFile: place() });
    expect(await of('sixteen letters.')).toEqual({ passphrase: 'sixteen letters.' });
    const refused = of('fifteen letters');
    await expect(refused).rejects.toMatchObject({ code: 'usage' });
    await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining('fifteen') });
  });

  it('is made at first use, for its owner alone, and found again', async () => {
    const keyFile = join(temp.dir('data'), 'folder', 'key');
    const asked = { env: { HOLDFAST_SECRET_KEY: '' }, keyFile };
    const made = await fileKey(asked);
    expect(made).toHaveLength(32);
    expect(await fileKey(asked)).toEqual(made);
    if (posix) expect(fs.statSync(keyFile).mode & 0o777).toBe(0o600);
    expect(fs.readdirSync(join(keyFile, '..'))).toEqual(['key']);
  });

  it('is one, however many ask at once', async () => {
    const keyFile = place();
    const all = await Promise.all(Array.from({ length: 8 }, () => fileKey({ env: {}, keyFile })));
    for (const key of all) expect(key).toEqual(all[0]);
  });

  it.runIf(posix)('that others can read is refused, with what to do', async () => {
    const keyFile = place();
    await fileKey({ env: {}, keyFile });
    for (const mode of [0o640, 0o604, 0o620, 0o601]) {
      fs.chmodSync(keyFile, mode);
      await expect(fileKey({ env: {}, keyFile })).rejects.toMatchObject({
        code: 'permission',
        hint: expect.stringContaining(`chmod 600 ${keyFile}`),
      });
    }
    fs.chmodSync(keyFile, 0o400);
    expect(await fileKey({ env: {}, keyFile })).toHaveLength(32);
  });

  it('is never made anew over a file that holds none', async () => {
    const keyFile = place();
    for (const content of ['', 'not a key', 'A'.repeat(1000)]) {
      fs.writeFileSync(keyFile, content, { mode: 0o600 });
      await expect(fileKey({ env: {}, keyFile })).rejects.toMatchObject({ code: 'damaged' });
      expect(fs.readFileSync(keyFile, 'utf8')).toBe(content);
    }
  });
});
