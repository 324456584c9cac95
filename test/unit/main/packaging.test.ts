/** electron-builder.yml and the pictures that it names. */
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '../../..');
const nodeRequire = createRequire(import.meta.url);
const config = parse(fs.readFileSync(join(root, 'electron-builder.yml'), 'utf8'));

/** electron-builder's own check of a configuration. It throws sentences, and may change the types of what it is given. */
function validate(given: object): void {
  const builder = createRequire(nodeRequire.resolve('electron-builder/package.json'));
  const { validateSchema } = builder('app-builder-lib/out/util/config/schemaValidator');
  validateSchema(builder('app-builder-lib/scheme.json'), structuredClone(given));
}

describe('electron-builder.yml', () => {
  it("fits electron-builder's own schema", () => {
    validate(config);
  });

  it.each([
    ['a word that does not exist', { linux: { ...config.linux, targets: ['deb'] } }],
    ['a value of another kind', { asarUnpack: { main: true } }],
  ])('would be refused with %s', (_, wrong) => {
    expect(() => validate({ ...config, ...wrong })).toThrow(/does not match/);
  });

  it('makes packages for all three systems', () => {
    expect([config.linux.target, config.win.target, config.mac.target]).toEqual([
      ['AppImage', 'deb', 'rpm'],
      ['nsis'],
      ['dmg', 'zip'],
    ]);
    expect(config.mac.hardenedRuntime).toBe(true);
    expect(config.fileAssociations).toBeUndefined();
  });

  it('closes the ways around the archive', () => {
    expect(config.electronFuses).toEqual({
      runAsNode: false,
      enableCookieEncryption: true,
      enableNodeOptionsEnvironmentVariable: false,
      enableNodeCliInspectArguments: false,
      enableEmbeddedAsarIntegrityValidation: true,
      onlyLoadAppFromAsar: true,
      grantFileProtocolExtraPrivileges: false,
    });
  });

  it('names pictures that are there', () => {
    const resources = join(root, config.directories.buildResources);
    for (const name of [config.linux.icon, config.win.icon, config.mac.icon]) {
      expect(fs.existsSync(join(resources, name))).toBe(true);
    }
    expect(fs.existsSync(join(root, config.mac.entitlements))).toBe(true);
  });

  it('packs every package that the native modules need', () => {
    const patterns: string[] = config.files;
    const packed = (name: string) =>
      patterns.some((pattern) => namesIn(pattern).some((one) => fits(one, name)));
    const needed = dependencies(['better-sqlite3', 'koffi', 'sodium-native']);
    expect(needed.length).toBeGreaterThan(10);
    expect(needed.filter((name) => !packed(name))).toEqual([]);
  });
});

/** The packages that a pattern such as `node_modules/{a,b-*}/**` names. */
function namesIn(pattern: string): readonly string[] {
  const [, names = ''] = /^node_modules\/(\{[^}]+\}|@[^/]+\/[^/]+|[^/@*]+)\//.exec(pattern) ?? [];
  return names.replace(/[{}]/g, '').split(',').filter(Boolean);
}

const fits = (pattern: string, name: string) =>
  new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]+')}$`).test(name);

/** Those that are installed, with all that they need at run time. What only compiles them has no code of its own. */
function dependencies(roots: readonly string[]): readonly string[] {
  const all = new Set(roots);
  for (const name of all) {
    const file = join(root, 'node_modules', name, 'package.json');
    if (!fs.existsSync(file)) {
      all.delete(name);
      continue;
    }
    const { dependencies, optionalDependencies } = JSON.parse(fs.readFileSync(file, 'utf8'));
    for (const one of Object.keys({ ...dependencies, ...optionalDependencies })) all.add(one);
  }
  all.delete('node-addon-api');
  return [...all];
}

/** Width and height of a PNG. */
function sizeOf(png: Buffer): readonly [number, number] {
  expect(png.subarray(1, 4).toString()).toBe('PNG');
  return [png.readUInt32BE(16), png.readUInt32BE(20)];
}

describe('the pictures', () => {
  const rendered = join(root, 'assets/rendered');
  const read = (name: string) => fs.readFileSync(join(rendered, name));

  it.each(fs.readdirSync(join(rendered, 'linux')))('linux/%s is as large as it says', (name) => {
    const size = Number.parseInt(name, 10);
    expect(sizeOf(read(`linux/${name}`))).toEqual([size, size]);
  });

  it.each(['icon.ico', 'tray/idle.ico', 'tray/working.ico', 'tray/attention.ico', 'tray/paused.ico'])(
    '%s holds what its table says',
    (name) => {
      const file = read(name);
      const count = file.readUInt16LE(4);
      expect([file.readUInt16LE(0), file.readUInt16LE(2)]).toEqual([0, 1]);
      expect(count).toBeGreaterThanOrEqual(5);
      for (let at = 6; at < 6 + 16 * count; at += 16) {
        const size = file.readUInt8(at) || 256;
        const [length, offset] = [file.readUInt32LE(at + 8), file.readUInt32LE(at + 12)];
        expect(sizeOf(file.subarray(offset, offset + length))).toEqual([size, size]);
      }
    },
  );

  it('icon.icns holds what its chunks say', () => {
    const file = read('icon.icns');
    expect([file.toString('latin1', 0, 4), file.readUInt32BE(4)]).toEqual(['icns', file.length]);
    const sizes: Record<string, number> = {};
    for (let at = 8; at < file.length; at += file.readUInt32BE(at + 4)) {
      sizes[file.toString('latin1', at, at + 4)] = sizeOf(file.subarray(at + 8))[0];
    }
    expect(sizes).toMatchObject({
      icp4: 16,
      icp5: 32,
      ic07: 128,
      ic08: 256,
      ic09: 512,
      ic10: 1024,
      ic14: 512,
    });
  });

  it('are there for the tray of each system, in four states that differ', () => {
    for (const kind of ['.png', '@2x.png', '.ico', 'Template.png', 'Template@2x.png']) {
      const states = ['idle', 'working', 'attention', 'paused'].map((state) => read(`tray/${state}${kind}`));
      expect(new Set(states.map((file) => file.toString('base64'))).size).toBe(4);
    }
  });
});
