import { EngineError } from '../../api/errors.ts';
import type { Backend } from '../backend.ts';
import type { SignInRequest, SignInWay, StorageSetting } from '../registry.ts';

export async function openDrive(_target: string, _o: StorageSetting = {}): Promise<Backend> {
  throw new EngineError('unsupported', 'Google Drive is not there yet.');
}

export const createDrive = openDrive;

export async function driveSignIn(_o: SignInRequest): Promise<SignInWay> {
  throw new EngineError('unsupported', 'Google Drive is not there yet.');
}
