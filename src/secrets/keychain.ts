/**
 * Secrets sealed by the system's keychain, to which the shell has access (Electron's `safeStorage`). The keychain holds one
 * key of ours; the sealed values lie in a file.
 */
import { z } from 'zod';
import { EngineError, isEngineError, messageOf } from '../api/errors.ts';
import { type Container, damagedSecrets, FileSecrets, type Values } from './file-secrets.ts';
import { redact } from './redact.ts';
import type { Secrets } from './secrets.ts';

export interface KeychainPort {
  /** In base64. */
  encrypt(text: string): Promise<string>;
  /** The reverse. Rejects while the keychain is locked, and for what another keychain sealed. */
  decrypt(base64: string): Promise<string>;
}

const File = z.object({ version: z.literal(1), sealed: z.array(z.unknown()) });

/**
 * The secrets in the file at `path`, which is made with the first one. `get` and `set` fail with 'auth-expired' while the keychain
 * is locked, and with 'permission' where it refuses to seal; nothing is changed then. Errors of all: 'damaged', 'permission', 'io'.
 */
export function keychainSecrets(port: KeychainPort, path: string): Secrets {
  return new FileSecrets(path, versioned(path), throughKeychain(port));
}

/**
 * For a host that is offered no keychain: refuses to begin another file while this one holds secrets, which would then seem to be
 * lost. Errors: 'permission'; 'damaged', 'io'.
 */
export async function expectNoneInKeychain(path: string): Promise<void> {
  const names = await keychainSecrets(NO_KEYCHAIN, path).names();
  if (names.length === 0) return;
  throw new EngineError(
    'permission',
    'The passwords lie in the keychain, which only the desktop app reaches.',
    {
      hint: 'Start the Holdfast app, unlock the keychain if it asks, and use Holdfast while the app runs. If the keychain is lost, move secrets.keychain.json out of the data folder and enter the passwords again.',
      context: { file: path },
    },
  );
}

/** For what asks for nothing but names. */
const NO_KEYCHAIN: KeychainPort = {
  encrypt: () => Promise.reject(new EngineError('permission', 'There is no keychain.')),
  decrypt: () => Promise.reject(new EngineError('permission', 'There is no keychain.')),
};

function versioned(path: string): Container {
  return {
    async decode(bytes) {
      return Buffer.from(JSON.stringify(sealedPart(bytes, path)));
    },
    async encode(json) {
      return Buffer.from(JSON.stringify({ version: 1, sealed: JSON.parse(Buffer.from(json).toString()) }));
    },
  };
}

function sealedPart(bytes: Uint8Array, path: string): unknown {
  try {
    return File.parse(JSON.parse(Buffer.from(bytes).toString())).sealed;
  } catch {
    throw damagedSecrets(path);
  }
}

function throughKeychain(port: KeychainPort): Values {
  return {
    async seal(value) {
      try {
        return await port.encrypt(value);
      } catch (e) {
        throw refused(e, value);
      }
    },
    async open(stored) {
      try {
        return await port.decrypt(stored);
      } catch (e) {
        throw locked(e, stored);
      }
    },
  };
}

/** Without a cause: an error of the shell's may carry what it was asked to seal. */
function refused(e: unknown, value: string): EngineError {
  if (isEngineError(e)) return e;
  const said = redact(messageOf(e), [value]);
  return new EngineError('permission', `The system's keychain does not take a password: ${said}`, {
    hint: 'Unlock the keychain, and allow Holdfast to use it.',
  });
}

function locked(e: unknown, stored: string): EngineError {
  if (isEngineError(e)) return e;
  const said = redact(messageOf(e), [stored]);
  return new EngineError('auth-expired', `The system's keychain does not give a password back: ${said}`, {
    hint: 'Unlock the keychain, and allow Holdfast to use it. If the keychain was made anew, enter the password of the destination again.',
  });
}
