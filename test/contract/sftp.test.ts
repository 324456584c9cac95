import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fingerprintOf } from '../../src/backend/sftp/known-hosts.ts';
import { createSftp, openSftp } from '../../src/backend/sftp/sftp.ts';
import { type Misbehaviour, newHostKey, parsed, startSftp } from '../servers/sftp.ts';
import { backendContract } from './backend.ts';

const PASSWORD = 'pass word/with@signs';
const HOST_KEY = newHostKey();

function contract(name: string, misbehaviour: Misbehaviour, connections = 5): void {
  backendContract(`sftp, ${name}`, async () => {
    const root = await fs.mkdtemp(join(tmpdir(), 'holdfast-contract-'));
    const server = await startSftp({ root, password: PASSWORD, hostKeys: [HOST_KEY], misbehaviour });
    const login = { password: PASSWORD, hostKey: fingerprintOf(parsed(HOST_KEY).getPublicSSH()) };
    const setting = {
      login: { get: async () => login, put: async () => undefined },
      options: new Map([['sftp.connections', String(connections)]]),
      env: { HOME: root },
    };
    const target = `//me@127.0.0.1:${server.port}//srv/repo`;
    const backend = await createSftp(target, setting);
    const other = await openSftp(target, setting);
    return {
      backend,
      other,
      secrets: [PASSWORD],
      dispose: async () => {
        await other.close();
        await server.close();
        await fs.rm(root, { recursive: true });
      },
    };
  });
}

contract('a server that only knows the draft', {});
contract(
  'one connection, answers in any order, short reads, and lists that tell nothing',
  { reversed: true, shortReads: 9_999, bareLists: true },
  1,
);
