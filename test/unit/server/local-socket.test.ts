import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type LocalSocket, startLocalSocket } from '../../../src/server/local-socket.ts';
import { connectSocket } from '../../../src/transport/web-socket.ts';
import { useTemp } from '../../helpers/scope.ts';
import { toy } from '../transport/toy-router.ts';

const temp = useTemp();
const started: LocalSocket[] = [];
afterEach(async () => {
  for (const socket of started.splice(0)) await socket.close();
});

async function start(path: string) {
  const made = toy();
  const socket = await startLocalSocket({ ...made, ...made.probe, path });
  started.push(socket);
  return { ...made, socket };
}

const mode = (path: string) => fs.statSync(path).mode & 0o777;

describe.skipIf(process.platform === 'win32')('the local socket', () => {
  it('carries the contract, for its owner alone', async () => {
    const path = join(temp.dir(), 'run', 'host.sock');
    const { probe } = await start(path);
    expect(mode(path)).toBe(0o600);
    expect(mode(join(path, '..'))).toBe(0o700);
    const { client, close } = await connectSocket(path);
    expect(await client.destinations.test({ location: 'x' })).toMatchObject({ repository: true });
    const call = client.destinations.test({ location: 'hang' }).catch((e: { code: string }) => e.code);
    await probe.begun.promise;
    await close();
    expect(await call).toBe('unreachable');
    await probe.aborted.promise;
  });

  it('ends connections and takes the file away when it closes', async () => {
    const path = join(temp.dir(), 'host.sock');
    const { socket } = await start(path);
    const { closed } = await connectSocket(path);
    await socket.close();
    await closed;
    expect(fs.existsSync(path)).toBe(false);
    await expect(connectSocket(path)).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('leaves a host that answers alone', async () => {
    const path = join(temp.dir(), 'host.sock');
    await start(path);
    await expect(start(path)).rejects.toMatchObject({ code: 'conflict' });
    const { client, close } = await connectSocket(path);
    expect(await client.destinations.test({ location: 'x' })).toMatchObject({ repository: true });
    await close();
  });

  it('takes the place of a socket that a killed process left', async () => {
    const path = join(temp.dir(), 'host.sock');
    const program = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
    try {
      execFileSync(process.execPath, ['-e', program, path]);
    } catch {} // it was killed
    expect(fs.lstatSync(path).isSocket()).toBe(true);
    await start(path);
    const { close } = await connectSocket(path);
    await close();
  });

  it('takes nothing away that is no socket', async () => {
    const path = join(temp.dir(), 'host.sock');
    fs.writeFileSync(path, 'precious');
    await expect(start(path)).rejects.toMatchObject({ code: 'conflict' });
    expect(fs.readFileSync(path, 'utf8')).toBe('precious');
  });

  it('is not put where others may write', async () => {
    const folder = temp.dir();
    fs.chmodSync(folder, 0o777);
    const path = join(folder, 'host.sock');
    await expect(start(path)).rejects.toMatchObject({ code: 'permission' });
    expect(fs.existsSync(path)).toBe(false);
  });

  it('says so when the path can be none', async () => {
    const path = join(temp.dir(), 'x'.repeat(200));
    await expect(start(path)).rejects.toMatchObject({ code: 'usage' });
  });

  it('answers to nothing but WebSockets', async () => {
    const path = join(temp.dir(), 'host.sock');
    await start(path);
    const { request } = await import('node:http');
    const status = await new Promise((resolve) =>
      request({ socketPath: path, path: '/rpc/system/status', method: 'POST' }, (res) => {
        res.resume();
        resolve(res.statusCode);
      }).end('{}'),
    );
    expect(status).toBe(404);
  });

  it('finds another program at its place, even one that says nothing', async () => {
    const path = join(temp.dir(), 'host.sock');
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(path, resolve));
    await expect(start(path)).rejects.toMatchObject({ code: 'conflict' });
    await new Promise((resolve) => other.close(resolve));
  });
});
