import { createRest, openRest } from '../../src/backend/rest/rest.ts';
import { RestServer, type RestServerOptions } from '../servers/rest.ts';
import { backendContract } from './backend.ts';

const login = { username: 'ann', password: 'p:a/s@s %?#' };

function rest(name: string, options: RestServerOptions): void {
  backendContract(`rest, ${name}`, async () => {
    const server = await RestServer.start({ login, ...options });
    const target = server.target(`ann:${login.password}`);
    const other = await openRest(target);
    return {
      backend: await createRest(target),
      other,
      secrets: [login.password, 'p%3A', 's%20'],
      lacks: options.settings ? [] : ['settings'],
      dispose: async () => {
        await other.close();
        await server[Symbol.asyncDispose]();
      },
    };
  });
}

rest('as rest-server', {});
rest('as rclone', { existing: 'replace', settings: true });
rest('version 1, without ranges', { version: 1, ranges: false });
