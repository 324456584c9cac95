import { expect, it } from 'vitest';
import { readLogin, storedLogin, TriedLogin, writeLogin } from '../../../src/host/logins.ts';
import { redactor } from '../../../src/runs/redact.ts';
import { openSealedFile } from '../../../src/secrets/sealed-file.ts';
import { useTemp } from '../../helpers/scope.ts';

const temp = useTemp();
const NAME = 'login:one';

const store = () => openSealedFile(`${temp.dir()}/secrets`, new Uint8Array(32).fill(7));

it('is kept as it is, without fields that are empty', async () => {
  const secrets = await store();
  await writeLogin(secrets, NAME, { username: 'ann', password: 'secret one', hostKey: '' });
  expect(await readLogin(secrets, NAME)).toEqual({ username: 'ann', password: 'secret one' });
  await writeLogin(secrets, NAME, { username: '' });
  expect(await secrets.names()).toEqual([]);
});

it('takes what the service renews, unless the person has set another meanwhile', async () => {
  const secrets = await store();
  await writeLogin(secrets, NAME, { token: 'first' });
  const keeper = storedLogin(secrets, NAME);
  await keeper.get();
  await Promise.all([keeper.put({ token: 'second' }), keeper.put({ token: 'third' })]);
  expect(await readLogin(secrets, NAME)).toEqual({ token: 'third' });
  await writeLogin(secrets, NAME, { token: 'by hand' });
  await keeper.put({ token: 'fourth' });
  expect(await readLogin(secrets, NAME)).toEqual({ token: 'by hand' });
  await secrets.remove(NAME);
  await keeper.put({ token: 'fifth' });
  expect(await secrets.names()).toEqual([]);
});

it('is tried before it is kept, and keeps what was renewed before and after', async () => {
  const secrets = await store();
  const tried = new TriedLogin({ token: 'first' });
  await tried.put({ token: 'second' });
  expect(await secrets.names()).toEqual([]);
  await tried.keep(secrets, NAME);
  expect(await readLogin(secrets, NAME)).toEqual({ token: 'second' });
  await tried.put({ token: 'third' });
  expect(await readLogin(secrets, NAME)).toEqual({ token: 'third' });
});

it('is masked in what is told of runs, but for names', async () => {
  const secrets = await store();
  await writeLogin(secrets, NAME, { username: 'backup', password: 'pa"ss and word', token: 'abcdefgh' });
  const redact = await redactor(secrets);
  const told = redact('The backup of backup: {"p":"pa\\"ss and word"} pa"ss and word, abcdefgh');
  expect(told).toBe('The backup of backup: {"p":"[secret]"} [secret], [secret]');
});
