import { createDrive, openDrive } from '../../src/backend/gdrive/gdrive.ts';
import type { StorageSetting } from '../../src/backend/registry.ts';
import { DriveServer } from '../servers/drive.ts';
import { backendContract } from './backend.ts';

const TARGET = 'backups/Ada’s laptop';
const UNHURRIED = { allowed: { creations: 1e6, queries: 1e6 } };

function drive(
  name: string,
  optionsOf: (server: DriveServer) => readonly (readonly [string, string])[],
): void {
  backendContract(name, async () => {
    const server = await DriveServer.start({ page: 300 });
    const login = { ...server.login.grant(), clientSecret: server.login.clientSecret };
    const o: StorageSetting = {
      options: new Map([...server.options, ...optionsOf(server)]),
      login: { get: async () => login, put: async () => undefined },
    };
    const other = await openDrive(TARGET, o, UNHURRIED);
    return {
      backend: await createDrive(TARGET, o, UNHURRIED),
      other,
      secrets: [login.accessToken, login.refreshToken, login.clientSecret],
      dispose: async () => {
        await other.close();
        await server[Symbol.asyncDispose]();
      },
    };
  });
}

drive('gdrive', () => []);
drive('gdrive, a shared drive', ({ space }) => [['gdrive.shared-drive', space.addDrive('Shared')]]);
