import { createS3, openS3 } from '../../src/backend/s3/s3.ts';
import { S3Server } from '../servers/s3.ts';
import { backendContract } from './backend.ts';

const key = { accessKeyId: 'ann', secretAccessKey: 'a/secret+key' };
const setting = { login: { get: async () => key, put: async () => undefined } };

backendContract('s3, whose lists have small pages', async () => {
  const server = await S3Server.start();
  server.pageSize = 7;
  const target = `${server.endpoint}/bucket/a/place`;
  const other = await openS3(target, setting);
  return {
    backend: await createS3(target, setting),
    other,
    secrets: [key.secretAccessKey],
    dispose: async () => {
      await other.close();
      await server[Symbol.asyncDispose]();
    },
  };
});
