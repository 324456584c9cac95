/** The system's keychain for the host, which cannot reach it itself. */
import { messageOf } from '../src/api/errors.ts';
import type { FromHost, ToHost } from '../src/api/shell.ts';
import type { ElectronModules } from './electron.ts';

type Modules = Pick<ElectronModules, 'safeStorage'>;
type Asked = Extract<FromHost, { kind: 'seal' | 'unseal' }>;

/** Whether it seals for real: without a keyring Chromium on Linux only disguises. */
export function hasKeychain({ safeStorage }: Modules, platform: NodeJS.Platform): boolean {
  if (!safeStorage.isEncryptionAvailable()) return false;
  return platform !== 'linux' || !['basic_text', 'unknown'].includes(safeStorage.getSelectedStorageBackend());
}

/** Does what the host asks. Texts to seal are plain; sealed ones are in base64. */
export function askKeychain({ safeStorage }: Modules, { kind, nr, text }: Asked): ToHost {
  try {
    const done =
      kind === 'seal'
        ? safeStorage.encryptString(text).toString('base64')
        : safeStorage.decryptString(Buffer.from(text, 'base64'));
    return { kind: 'sealed', nr, text: done };
  } catch (e) {
    return { kind: 'refused', nr, message: messageOf(e) };
  }
}
