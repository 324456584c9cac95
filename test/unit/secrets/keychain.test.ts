import * as fs from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import { keychainSecrets } from '../../../src/secrets/keychain.ts';
import { keychain } from '../../helpers/keychain.ts';
import { useTemp } from '../../helpers/scope.ts';

const temp = useTemp();
const place = () => join(temp.dir('secrets'), 'secrets.json');

async function caught(work: Promise<unknown>): Promise<EngineError> {
  const error: unknown = await work.then(
    () => undefined,
    (e: unknown) => e,
  );
  if (error instanceof EngineError) return error;
  throw new Error(`no EngineError: ${error}`);
}

it('keeps sealed values only', async () => {
  const path = place();
  await keychainSecrets(keychain(), path).set('web:password', 'hunter two');
  const content = fs.readFileSync(path, 'utf8');
  expect(content).not.toContain('hunter');
  expect(content).not.toContain(Buffer.from('hunter two').toString('base64'));
  if (process.platform !== 'win32') expect(fs.statSync(path).mode & 0o777).toBe(0o600);
});

it('says that the keychain is locked, gives nothing away, and changes nothing', async () => {
  const [path, port] = [place(), keychain()];
  const secrets = keychainSecrets(port, path);
  await secrets.set('a', 'first value');
  const before = fs.readFileSync(path);
  port.locked = true;
  const [reading, writing] = [await caught(secrets.get('a')), await caught(secrets.set('a', 'second value'))];
  expect(reading).toMatchObject({ code: 'auth-expired', hint: expect.stringContaining('Unlock') });
  expect(writing).toMatchObject({ code: 'permission', hint: expect.stringContaining('Unlock') });
  expect(`${writing.message}${JSON.stringify(writing)}${writing.cause}`).not.toContain('second value');
  expect(fs.readFileSync(path).equals(before)).toBe(true);
  expect(await secrets.names()).toEqual(['a']);
  expect(await secrets.get('none')).toBeUndefined();
  await secrets.remove('a');
  port.locked = false;
  expect(await secrets.get('a')).toBeUndefined();
});

it('lets an error of the shell through as it is', async () => {
  const error = new EngineError('unreachable', 'The shell is gone.');
  const secrets = keychainSecrets(
    { encrypt: () => Promise.reject(error), decrypt: () => Promise.reject(error) },
    place(),
  );
  expect(await caught(secrets.set('a', 'b'))).toBe(error);
});

it('does not give back what another keychain sealed', async () => {
  const path = place();
  await keychainSecrets(keychain(), path).set('a', 'value');
  const error = await caught(keychainSecrets(keychain(), path).get('a'));
  expect(error.code).toBe('auth-expired');
});

it.each(['', '{', '[]', '{"version":2,"sealed":[]}', '{"version":1,"sealed":{"a":"b"}}', '{"version":1}'])(
  'leaves a damaged file as it is: %j',
  async (content) => {
    const path = place();
    fs.writeFileSync(path, content);
    const secrets = keychainSecrets(keychain(), path);
    const calls = [
      () => secrets.get('a'),
      () => secrets.set('a', 'b'),
      () => secrets.remove('a'),
      () => secrets.names(),
    ];
    for (const call of calls) expect((await caught(call())).code).toBe('damaged');
    expect(fs.readFileSync(path, 'utf8')).toBe(content);
  },
);
