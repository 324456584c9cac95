/**
 * Renders the pictures of assets/ into assets/rendered: the icon in all sizes and as .ico and .icns, the tray's icons in four
 * states. Chromium draws them; the results are kept with the sources, so this runs only after a drawing has changed.
 *
 * ico   Windows: a table of PNGs, https://learn.microsoft.com/previous-versions/ms997538(v=msdn.10)
 * icns  macOS: chunks of a type and a PNG each, https://en.wikipedia.org/wiki/Apple_Icon_Image_format
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import chromium from '@sparticuz/chromium';
import { type Page, chromium as playwright } from 'playwright';

const assets = path.join(path.dirname(import.meta.dirname), 'assets');
const rendered = path.join(assets, 'rendered');

const LINUX = [16, 24, 32, 48, 64, 128, 256, 512];
const WINDOWS = [16, 20, 24, 32, 40, 48, 64, 256];
const WINDOWS_TRAY = [16, 20, 24, 32, 48];
/** Types and their sizes in pixels; ic11 to ic14 are those of finer screens. */
const MAC = [
  ['icp4', 16],
  ['icp5', 32],
  ['ic11', 32],
  ['ic12', 64],
  ['ic07', 128],
  ['ic13', 256],
  ['ic08', 256],
  ['ic14', 512],
  ['ic09', 512],
  ['ic10', 1024],
] as const;
const STATES = ['idle', 'working', 'attention', 'paused'] as const;
/** Apple's icons leave a rim of so much around them. */
const MAC_RIM = 100 / 1024;
const SMALL = 48;

type Draw = (svg: string, size: number, rim?: number) => Promise<Buffer>;

function drawing(page: Page): Draw {
  return async (svg, size, rim = 0) => {
    const inner = size * (1 - 2 * rim);
    await page.setViewportSize({ width: size, height: size });
    await page.setContent(`<!doctype html><style>
      html, body { margin: 0; background: transparent; width: ${size}px; height: ${size}px; overflow: hidden }
      svg { position: absolute; left: ${size * rim}px; top: ${size * rim}px; width: ${inner}px; height: ${inner}px }
    </style>${svg}`);
    return page.screenshot({ omitBackground: true });
  };
}

interface Sized {
  readonly size: number;
  readonly png: Buffer;
}

function ico(images: readonly Sized[]): Buffer {
  const head = Buffer.alloc(6 + 16 * images.length);
  head.writeUInt16LE(1, 2);
  head.writeUInt16LE(images.length, 4);
  let offset = head.length;
  for (const [i, { size, png }] of images.entries()) {
    const at = 6 + 16 * i;
    head.writeUInt8(size % 256, at); // 0 means 256
    head.writeUInt8(size % 256, at + 1);
    head.writeUInt16LE(1, at + 4);
    head.writeUInt16LE(32, at + 6);
    head.writeUInt32LE(png.length, at + 8);
    head.writeUInt32LE(offset, at + 12);
    offset += png.length;
  }
  return Buffer.concat([head, ...images.map(({ png }) => png)]);
}

function icns(images: readonly { readonly type: string; readonly png: Buffer }[]): Buffer {
  const chunks = images.map(({ type, png }) => Buffer.concat([chunkHead(type, png.length + 8), png]));
  const body = Buffer.concat(chunks);
  return Buffer.concat([chunkHead('icns', body.length + 8), body]);
}

function chunkHead(type: string, length: number): Buffer {
  const head = Buffer.alloc(8);
  head.write(type, 'latin1');
  head.writeUInt32BE(length, 4);
  return head;
}

async function sized(
  svgOf: (size: number) => string,
  sizes: readonly number[],
  draw: Draw,
): Promise<readonly Sized[]> {
  const images: Sized[] = [];
  for (const size of sizes) images.push({ size, png: await draw(svgOf(size), size) });
  return images;
}

async function icons(draw: Draw): Promise<void> {
  const [large, small] = await Promise.all([read('icon.svg'), read('icon-small.svg')]);
  const svgOf = (size: number) => (size <= SMALL ? small : large);
  await mkdir(path.join(rendered, 'linux'), { recursive: true });
  for (const { size, png } of await sized(svgOf, LINUX, draw)) await write(`linux/${size}x${size}.png`, png);
  await write('icon.png', await draw(large, 512));
  await write('icon.ico', ico(await sized(svgOf, WINDOWS, draw)));
  const mac = [];
  for (const [type, size] of MAC)
    mac.push({ type, png: await draw(svgOf(size), size, size <= 32 ? 0 : MAC_RIM) });
  await write('icon.icns', icns(mac));
}

async function trayIcons(draw: Draw): Promise<void> {
  await mkdir(path.join(rendered, 'tray'), { recursive: true });
  for (const state of STATES) {
    const colour = await read(`tray/${state}.svg`);
    await write(`tray/${state}.png`, await draw(colour, 24));
    await write(`tray/${state}@2x.png`, await draw(colour, 48));
    await write(`tray/${state}.ico`, ico(await sized(() => colour, WINDOWS_TRAY, draw)));
    const mask = await read(`tray/${state}Template.svg`);
    await write(`tray/${state}Template.png`, await draw(mask, 16));
    await write(`tray/${state}Template@2x.png`, await draw(mask, 32));
  }
}

const read = (name: string) => readFile(path.join(assets, name), 'utf8');
const write = (name: string, data: Buffer) => writeFile(path.join(rendered, name), data);

await rm(rendered, { recursive: true, force: true });
const browser = await playwright.launch({
  executablePath: await chromium.executablePath(),
  args: chromium.args,
});
try {
  const page = await browser.newPage();
  await icons(drawing(page));
  await trayIcons(drawing(page));
} finally {
  await browser.close();
}
console.log(`Rendered the pictures into ${path.relative(process.cwd(), rendered)}/.`);
