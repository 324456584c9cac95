import { EngineError } from '../../api/errors.ts';
import type { Backend } from '../backend.ts';
import type { SignInRequest, SignInWay, StorageSetting } from '../registry.ts';

export async function openDropbox(_target: string, _o: StorageSetting = {}): Promise<Backend> {
  throw new EngineError('unsupported', 'Dropbox is not there yet.');
}

export const createDropbox = openDropbox;

export async function dropboxSignIn(_o: SignInRequest): Promise<SignInWay> {
  throw new EngineError('unsupported', 'Dropbox is not there yet.');
}
