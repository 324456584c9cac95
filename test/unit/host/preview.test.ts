import { describe, expect, it } from 'vitest';
import type { EngineError } from '../../../src/api/errors.ts';
import type { FilePreview } from '../../../src/api/model/look.ts';
import type { Backend, LoadOptions } from '../../../src/backend/backend.ts';
import { createMemory } from '../../../src/backend/memory/memory.ts';
import type { Id } from '../../../src/format/types.ts';
import { MOST_IMAGE_BYTES, MOST_TEXT_BYTES } from '../../../src/host/preview.ts';
import { rawByteString } from '../../../src/util/byte-string.ts';
import { idOf, link, memoryRepository, node, saveBlobs, saveNodes, saveTree } from '../../helpers/repo.ts';
import { generatedBytes } from '../../helpers/tree.ts';
import { peekInto } from './peek-support.ts';

const latin = (text: string) => Buffer.from(text, 'latin1');
const random = (size: number) => Buffer.concat([...generatedBytes({ seed: 7, size })]);
const PNG = latin('\x89PNG\r\n\x1a\n');

async function previewed(content: Uint8Array | readonly Uint8Array[]): Promise<FilePreview> {
  const peek = await peekInto({ f: content });
  return peek.preview('/f');
}

describe('a preview of a text', () => {
  const umlauts = 'Grüße aus dem Süden – 5 €\n';

  it.each([
    ['UTF-8', Buffer.from(umlauts)],
    ['UTF-8 with its mark', Buffer.from(`\ufeff${umlauts}`)],
    ['UTF-16 of Windows', Buffer.concat([latin('\xff\xfe'), Buffer.from(umlauts, 'utf16le')])],
    ['UTF-16 of others', Buffer.concat([latin('\xfe\xff'), Buffer.from(umlauts, 'utf16le').swap16()])],
    ['one byte a character', latin('Gr\xfc\xdfe aus dem S\xfcden \x96 5 \x80\n')],
  ])('in %s', async (_, bytes) => {
    expect(await previewed(bytes)).toEqual({ kind: 'text', text: umlauts, cut: false });
  });

  it('shows the beginning of a long one, and no half character', async () => {
    const long = Buffer.from(`x${'ü'.repeat(MOST_TEXT_BYTES)}`);
    const preview = await previewed(long);
    expect(preview).toEqual({ kind: 'text', text: `x${'ü'.repeat(MOST_TEXT_BYTES / 2 - 1)}`, cut: true });
    const exact = Buffer.alloc(MOST_TEXT_BYTES, 'a');
    expect(await previewed(exact)).toMatchObject({ cut: false });
  });

  it('takes escape sequences of a terminal, and few others', async () => {
    expect(await previewed(latin('\x1b[31mred\x1b[0m\tok\r\n\f'))).toMatchObject({ kind: 'text' });
    expect(await previewed(latin('ab\x01\x02\x03'))).toEqual({ kind: 'none', reason: 'binary' });
  });

  it.each([
    ['NULs', latin('a\0b')],
    ['bytes without an order', random(1000)],
    ['bytes without an order and without NULs', Buffer.from(random(1000).map((b) => b || 1))],
    ['UTF-16 without its mark', Buffer.from('plain', 'utf16le')],
    ['UTF-32 with its mark', latin('\xff\xfe\0\0a\0\0\0')],
    ['mostly high bytes', latin('\xe0\xe1\xe2\xe3 \xe4\xe5')],
  ])('takes no %s for one', async (_, bytes) => {
    expect(await previewed(bytes)).toEqual({ kind: 'none', reason: 'binary' });
  });
});

describe('a preview of an image', () => {
  const avif = (brand: string) => latin(`\0\0\0\x1cftyp${brand}\0\0\0\0avifmif1miaf`);
  const bmp = latin('BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0');

  it.each([
    ['image/png', PNG],
    ['image/jpeg', latin('\xff\xd8\xff\xe0\0\x10JFIF')],
    ['image/gif', latin('GIF89a\x01\0\x01\0')],
    ['image/webp', latin('RIFF\x24\0\0\0WEBPVP8 ')],
    ['image/avif', avif('avif')],
    ['image/avif', avif('mif1')],
    ['image/bmp', bmp],
  ])('knows %s', async (mediaType, start) => {
    const bytes = Buffer.concat([start, random(1_000_000)]);
    const preview = await previewed([bytes.subarray(0, 300_000), bytes.subarray(300_000)]);
    expect(preview).toEqual({ kind: 'image', mediaType, data: bytes.toString('base64') });
  });

  it.each(['BMW is a car', 'RIFF is a word', 'GIF 87', '....ftypisom....'])(
    'is not fooled by “%s”',
    async (text) => {
      expect(await previewed(latin(text))).toEqual({ kind: 'text', text, cut: false });
    },
  );

  it('is not given of a large one, whose beginning is read alone', async () => {
    const loads: LoadOptions[] = [];
    const backend = watching(createMemory(), loads);
    const parts = Array.from({ length: 9 }, (_, i) =>
      Buffer.concat([i === 0 ? PNG : PNG.reverse(), random(1 << 20)]),
    );
    const repo = await memoryRepository({ backend });
    const peek = await peekInto({ repo, tree: await saveTree(repo, { big: parts }) });
    loads.length = 0;
    expect(await peek.preview('/big')).toEqual({ kind: 'none', reason: 'too-large' });
    expect(9 << 20).toBeGreaterThan(MOST_IMAGE_BYTES);
    expect(loads.reduce((sum, { length }) => sum + (length ?? 0), 0)).toBeLessThan(2 << 20);
  });
});

describe('a preview of anything else', () => {
  it('says what it is', async () => {
    const peek = await peekInto({ dir: { f: 'x' }, link: link('dir'), empty: '' });
    for (const path of ['/', '', '/dir', '/link']) {
      expect(await peek.preview(path)).toEqual({ kind: 'none', reason: 'not-a-file' });
    }
    expect(await peek.preview('/empty')).toEqual({ kind: 'none', reason: 'empty' });
    expect(await peek.preview('dir/f')).toMatchObject({ text: 'x' });
  });

  it('fails for what is not there, or has lost a part', async () => {
    const repo = await memoryRepository();
    const lost = node('lost', 'file', { content: [idOf('lost')], size: 4 });
    const peek = await peekInto({ repo, tree: await saveNodes(repo, [lost]) });
    await expect(peek.preview('/none')).rejects.toMatchObject({ code: 'path-missing' });
    await expect(peek.preview('/lost/x')).rejects.toMatchObject({ code: 'path-missing' });
    await expect(peek.preview('/lost')).rejects.toMatchObject({
      code: 'damaged',
    } satisfies Partial<EngineError>);
  });

  it('finds names that are no UTF-8 by what is shown of them', async () => {
    const repo = await memoryRepository();
    const [first, second] = await saveBlobs(repo, [latin('first'), latin('second')]);
    const named = (name: string, content: Id) => ({
      ...node('', 'file', { content: [content] }),
      name: rawByteString(name),
    });
    const nodes = [named('caf\xe9', first!), named('caf\xef\xbf\xbd!', second!), named('caf\xe9!', first!)];
    const peek = await peekInto({ repo, tree: await saveNodes(repo, nodes) });
    expect(await peek.preview('/caf\ufffd')).toMatchObject({ text: 'first' });
    expect(await peek.preview('/caf\ufffd!')).toMatchObject({ text: 'second' });
  });

  it('ends with the reason of its signal', async () => {
    const peek = await peekInto({ f: 'x' });
    const reason = new Error('enough');
    await expect(peek.preview('/f', AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

/** Notes each read of packs. */
function watching(inner: Backend, loads: LoadOptions[]): Backend {
  return {
    ...inner,
    location: inner.location,
    traits: inner.traits,
    save: (h, data, o) => inner.save(h, data, o),
    stat: (h, o) => inner.stat(h, o),
    list: (type, o) => inner.list(type, o),
    remove: (h, o) => inner.remove(h, o),
    close: () => inner.close(),
    load: (h, o) => {
      if (h.type === 'pack') loads.push(o ?? {});
      return inner.load(h, o);
    },
  };
}
