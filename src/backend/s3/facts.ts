/** What a bucket's settings tell: whether it keeps old versions, and whether it locks them. */
import {
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  type ObjectLockConfiguration,
} from '@aws-sdk/client-s3';
import { isEngineError } from '../../api/errors.ts';
import { type CallOptions, NO_FACTS, type StorageFacts } from '../backend.ts';
import { type Asked, statusOf } from './errors.ts';
import type { Wire } from './wire.ts';

const DAYS_A_YEAR = 365;

/** Errors: the storage's, but for 'permission': what we may not know stays null. */
export async function factsOf(
  wire: Wire,
  asked: Asked,
  bucket: string,
  o: CallOptions | undefined,
): Promise<StorageFacts> {
  const input = { Bucket: bucket };
  const [versioning, lock] = await Promise.all([
    orUnknown(
      wire.ask(asked, { signal: o?.signal }, (client, how) =>
        client.send(new GetBucketVersioningCommand(input), how),
      ),
    ),
    orUnknown(
      wire.ask(asked, { signal: o?.signal }, (client, how) =>
        client.send(new GetObjectLockConfigurationCommand(input), how),
      ),
    ),
  ]);
  return {
    ...NO_FACTS,
    versioning: versioning && versioningOf(versioning.Status),
    objectLock: lockOf(lock?.ObjectLockConfiguration),
  };
}

/** null where the service does not tell us, or does not know such a thing. */
async function orUnknown<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (e) {
    if (isEngineError(e, 'repository-missing')) throw e;
    const unknown = isEngineError(e, 'permission', 'unsupported') || [400, 404].includes(statusOf(e) ?? 0);
    if (unknown) return null;
    throw e;
  }
}

function versioningOf(status: string | undefined): StorageFacts['versioning'] {
  if (status === 'Enabled') return 'on';
  return status === 'Suspended' ? 'suspended' : 'off';
}

function lockOf(lock: ObjectLockConfiguration | undefined): StorageFacts['objectLock'] {
  if (lock?.ObjectLockEnabled !== 'Enabled') return null;
  const { Mode, Days, Years } = lock.Rule?.DefaultRetention ?? {};
  const mode = Mode === 'COMPLIANCE' ? 'compliance' : Mode === 'GOVERNANCE' ? 'governance' : null;
  return { mode, days: Days ?? (Years === undefined ? null : Years * DAYS_A_YEAR) };
}
