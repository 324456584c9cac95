/**
 * The app as electron-builder packs it, around an Electron of which there is nothing but the names of its files: what is packed,
 * and whether the packed files are enough for main process, host and threads to work.
 */
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { buildMain } from '../../scripts/build-main.ts';
import { connectPort } from '../../src/transport/browser.ts';
import { ElectronDouble } from '../helpers/electron-double.ts';
import { useSharedTemp } from '../helpers/scope.ts';

const root = join(import.meta.dirname, '../..');
const nodeRequire = createRequire(import.meta.url);
const shared = useSharedTemp();
let resources: string;
let extracted: string;

/** The binary is missing, so that its fuses can't be set. */
function withoutElectron(folder: string): string {
  const electron = join(folder, 'electron');
  fs.mkdirSync(join(electron, 'resources'), { recursive: true });
  for (const name of ['electron', 'version', 'LICENSE', 'LICENSES.chromium.html']) {
    fs.writeFileSync(join(electron, name), '');
  }
  const { electronFuses, ...config } = parse(fs.readFileSync(join(root, 'electron-builder.yml'), 'utf8'));
  expect(electronFuses).toBeDefined();
  const file = join(folder, 'electron-builder.yml');
  const directories = { ...config.directories, output: join(folder, 'packed') };
  fs.writeFileSync(file, stringify({ ...config, directories, electronDist: electron }));
  return file;
}

beforeAll(async () => {
  const folder = fs.realpathSync(shared.dir('package'));
  await buildMain({ out: join(root, 'main/dist') });
  const builder = nodeRequire.resolve('electron-builder/cli.js');
  const args = [
    builder,
    '--linux',
    '--dir',
    '--x64',
    '--config',
    withoutElectron(folder),
    '--publish',
    'never',
  ];
  await promisify(execFile)(process.execPath, args, { cwd: root });
  resources = join(folder, 'packed/linux-unpacked/resources');
  extracted = join(folder, 'extracted');
  const asar = createRequire(
    createRequire(nodeRequire.resolve('electron-builder/package.json')).resolve('app-builder-lib'),
  )('@electron/asar');
  asar.extractAll(join(resources, 'app.asar'), extracted);
}, 120_000);

describe('the package', () => {
  it('starts with the main process', () => {
    expect(JSON.parse(fs.readFileSync(join(extracted, 'package.json'), 'utf8')).main).toBe(
      'main/dist/main.cjs',
    );
  });

  it('holds nothing but the bundles, their files and the native modules', () => {
    expect(fs.readdirSync(extracted).sort()).toEqual(['LICENSE', 'main', 'node_modules', 'package.json']);
    const modules = fs.readdirSync(join(extracted, 'node_modules'));
    expect(modules).toContain('better-sqlite3');
    expect(modules).not.toContain('react');
  });

  it('keeps outside of the archive what cannot be loaded from it', () => {
    const unpacked = fs.readdirSync(join(resources, 'app.asar.unpacked/main/dist')).sort();
    expect(unpacked).toEqual(['disk-worker.mjs', 'host.mjs', 'kernel.wasm', 'worker-main.mjs']);
  });

  it('works with what it holds: a backup from first to last', async () => {
    const home = fs.realpathSync(shared.dir('home'));
    await using double = new ElectronDouble({ app: join(extracted, 'main/dist'), home }).start();
    const holds = async (what: () => unknown) => {
      while (!what()) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await holds(() => double.trays.length > 0 && double.tray.item('pause')?.enabled);
    const page = await double.page();
    page.holdfast.requestPort();
    await holds(() => page.heard[0]);
    const { client } = connectPort(page.heard[0]!.ports[0]!, new Promise(() => {}));
    fs.mkdirSync(join(home, 'source'));
    fs.writeFileSync(join(home, 'source/large'), Buffer.alloc(3_000_000, 'holdfast'));
    const { destination } = await client.destinations.add({
      name: 'Disk',
      location: join(home, 'repository'),
    });
    const { id } = await client.plans.create({
      name: 'Plan',
      sources: [{ kind: 'path', path: join(home, 'source') }],
      destinations: [destination.id],
      schedule: { when: { kind: 'manual' } },
    });
    await client.plans.run({ id });
    await holds(() => double.tray.item('state')?.label?.startsWith("You're protected"));
  });
});
