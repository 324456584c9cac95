/** Pictures that look like photos from afar, painted by arithmetic: a sky, a sun, hills one behind the other. */
import { crc32, deflateSync } from 'node:zlib';

type Colour = readonly [number, number, number];

interface Scene {
  readonly sky: readonly [Colour, Colour];
  readonly hills: readonly Colour[];
}

const SCENES: readonly Scene[] = [
  {
    sky: [
      [96, 150, 214],
      [232, 238, 240],
    ],
    hills: [
      [146, 170, 190],
      [92, 128, 128],
      [44, 84, 66],
    ],
  },
  {
    sky: [
      [72, 58, 110],
      [246, 168, 110],
    ],
    hills: [
      [150, 98, 118],
      [94, 62, 92],
      [40, 30, 52],
    ],
  },
  {
    sky: [
      [150, 190, 205],
      [250, 244, 226],
    ],
    hills: [
      [196, 190, 166],
      [150, 150, 104],
      [88, 104, 58],
    ],
  },
  {
    sky: [
      [26, 40, 78],
      [112, 140, 180],
    ],
    hills: [
      [70, 92, 130],
      [44, 62, 96],
      [20, 30, 52],
    ],
  },
];

const mix = (a: number, b: number, part: number) => a + (b - a) * part;

/** A PNG of `width` × `height`; the same `seed` gives the same picture. */
export function picture(seed: number, width = 960, height = 640): Buffer {
  const scene = SCENES[seed % SCENES.length] ?? SCENES[0]!;
  const rows = Buffer.alloc(height * (1 + width * 3));
  const sun = { x: width * (0.2 + ((seed * 37) % 60) / 100), y: height * (0.2 + ((seed * 13) % 20) / 100) };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const colour = pixel(scene, seed, x / width, y / height, Math.hypot(x - sun.x, y - sun.y) / height);
      // A little grain, so that it is as hard to compress as a photo.
      const grain = ((x * 7919 + y * 104_729 + seed * 31) % 7) - 3;
      for (let i = 0; i < 3; i++) {
        rows[y * (1 + width * 3) + 1 + x * 3 + i] = Math.max(0, Math.min(255, (colour[i] ?? 0) + grain));
      }
    }
  }
  return png(width, height, rows);
}

function pixel({ sky, hills }: Scene, seed: number, x: number, y: number, fromSun: number): Colour {
  const nearest = hills.findLastIndex((_, i) => y > ridge(seed, i, x));
  const hill = hills[nearest];
  if (hill) return hill;
  const light = Math.max(0, 1 - fromSun / 0.5) ** 3;
  return [0, 1, 2].map((i) =>
    mix(mix(sky[0][i] ?? 0, sky[1][i] ?? 0, y * 1.6), 255, light),
  ) as unknown as Colour;
}

/** How far down the hill `i` begins, 0 to 1. */
function ridge(seed: number, i: number, x: number): number {
  const wave = (times: number, shift: number) => Math.sin(x * times + seed * shift + i * 2.1);
  return 0.48 + i * 0.16 + 0.06 * wave(5 + i, 1.3) + 0.03 * wave(13, 0.7) + 0.008 * wave(47, 2.9);
}

/** Source of the format: the PNG specification, chunks IHDR, IDAT, IEND. */
function png(width: number, height: number, rows: Buffer): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 6 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(name: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}
