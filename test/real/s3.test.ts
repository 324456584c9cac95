/** S3 against a real server, and beside the real restic. */
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { StorageSetting } from '../../src/backend/registry.ts';
import { createS3, openS3 } from '../../src/backend/s3/s3.ts';
import { backendContract } from '../contract/backend.ts';
import { useSharedTemp } from '../helpers/scope.ts';
import { hasTool, requireTool } from '../helpers/tools.ts';
import { S3_KEY, VersityGw } from '../helpers/versitygw.ts';

const shared = useSharedTemp();
let server: VersityGw;
let count = 0;

beforeAll(async () => {
  if (hasTool('versitygw')) server = await VersityGw.start(shared.dir('s3'));
});
afterAll(() => server?.[Symbol.asyncDispose]());
beforeEach((context) => requireTool(context, 'versitygw'));

const setting: StorageSetting = { login: { get: async () => S3_KEY, put: async () => undefined } };
const place = (bucket = 'backups') => `${server.endpoint}/${bucket}/some/place-${count++}`;

function contract(name: string, o: StorageSetting): void {
  backendContract(`s3, ${name}`, async () => {
    const target = place();
    const backend = await createS3(target, { ...setting, ...o });
    const other = await openS3(target, setting);
    return { backend, other, secrets: [S3_KEY.secretAccessKey], dispose: () => other.close() };
  });
}

contract('lists of version 2', {});
