import { createDropbox, openDropbox } from '../../src/backend/dropbox/dropbox.ts';
import { DropboxServer } from '../servers/dropbox.ts';
import { backendContract } from './backend.ts';

backendContract('dropbox', async () => {
  const server = await DropboxServer.start({ page: 300 });
  const tokens = server.login.grant();
  const login = { clientId: server.login.app.clientId, ...tokens };
  const o = { options: server.options, login: { get: async () => login, put: async () => undefined } };
  const other = await openDropbox('backups/Ada’s laptop', o);
  return {
    backend: await createDropbox('backups/Ada’s laptop', o),
    other,
    secrets: [tokens.accessToken, tokens.refreshToken],
    dispose: async () => {
      await other.close();
      await server.close();
    },
  };
});
