import { EngineError } from '../../api/errors.ts';
import type { Backend } from '../backend.ts';
import type { StorageSetting } from '../registry.ts';

export async function openS3(_target: string, _o: StorageSetting = {}): Promise<Backend> {
  throw new EngineError('unsupported', 'S3 is not there yet.');
}

export const createS3 = openS3;
