import { describe, expect, it } from 'vitest';
import { goModeFromUnix, modeString, nodeTypeOfMode, unixModeFromGo } from '../../../src/format/mode.ts';
import type { NodeType } from '../../../src/format/types.ts';

/** st_mode, Go's FileMode, node type and Go's FileMode.String, as a Go program prints them. */
const MODES: readonly (readonly [number, number, NodeType, string])[] = [
  [0o100644, 0o644, 'file', '-rw-r--r--'],
  [0o040755, 0x800001ed, 'dir', 'drwxr-xr-x'],
  [0o120777, 0x080001ff, 'symlink', 'Lrwxrwxrwx'],
  [0o060660, 0x040001b0, 'dev', 'Drw-rw----'],
  [0o020666, 0x042001b6, 'chardev', 'Dcrw-rw-rw-'],
  [0o010600, 0x02000180, 'fifo', 'prw-------'],
  [0o140777, 0x010001ff, 'socket', 'Srwxrwxrwx'],
  [0o107755, 0x00d001ed, 'file', 'ugtrwxr-xr-x'],
  [0o041777, 0x801001ff, 'dir', 'dtrwxrwxrwx'],
  [0o100000, 0, 'file', '----------'],
];

describe.each(MODES)('st_mode %o', (unix, go, type, text) => {
  it('goes to Go and back', () => {
    expect(goModeFromUnix(unix)).toBe(go);
    expect(unixModeFromGo(go)).toBe(unix);
    expect(nodeTypeOfMode(go)).toBe(type);
  });

  it('is printed as Go prints it, even where the stored mode lacks the type', () => {
    expect(modeString({ type, mode: go })).toBe(text);
    expect(modeString({ type, mode: go & 0x00d001ff })).toBe(text);
  });
});

it('knows what it does not know', () => {
  expect(nodeTypeOfMode(2 ** 19)).toBe('irregular');
  expect(nodeTypeOfMode(2 ** 31 + 2 ** 27)).toBe('');
  expect(modeString({ type: 'irregular', mode: 2 ** 19 })).toBe('?---------');
});
