import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { keychainSecrets } from '../../src/secrets/keychain.ts';
import { memorySecrets } from '../../src/secrets/memory.ts';
import { openSealedFile } from '../../src/secrets/sealed-file.ts';
import { keychain } from '../helpers/keychain.ts';
import { CHEAP_KDF } from '../helpers/repo.ts';
import { useTemp } from '../helpers/scope.ts';
import { secretsContract } from './secrets.ts';

const temp = useTemp();

secretsContract('memory', async () => ({ secrets: memorySecrets() }));

secretsContract('sealed file, with a key', async () => {
  const [path, key] = [join(temp.dir('secrets'), 'secrets'), randomBytes(32)];
  const reopen = () => openSealedFile(path, key);
  return { secrets: await reopen(), reopen };
});

secretsContract('sealed file, with a passphrase', async () => {
  const path = join(temp.dir('secrets'), 'secrets');
  const reopen = () => openSealedFile(path, { passphrase: 'sixteen letters or more' }, { kdf: CHEAP_KDF });
  return { secrets: await reopen(), reopen };
});

secretsContract('keychain', async () => {
  const [path, port] = [join(temp.dir('secrets'), 'secrets.json'), keychain()];
  const reopen = async () => keychainSecrets(port, path);
  return { secrets: await reopen(), reopen };
});
