/**
 * The inner loop of the chunker, in AssemblyScript: it looks for the first place in a stretch of memory where a
 * Rabin fingerprint says "cut here". Wrapper and glossary: ../chunker.ts; the same in plain words: ../rabin.ts.
 *
 * The memory is the caller's and may be shared by threads: nothing here writes to it or keeps state.
 *
 * Speed: one fingerprint is a chain of dependent table look-ups, so a core mostly waits. Whether a place is a cut
 * depends on the 64 bytes before it alone, so four places are advanced side by side ("lanes"), each through its
 * own quarter of a block, and their waits overlap.
 */

const WINDOW: u32 = 64;
const CUT_MASK: u64 = (1 << 20) - 1;

// Bytes in a lane: many, so that filling the window first costs little; few, so that little lies behind a cut.
const LANE: u32 = 4096;

// Layout of the table area, written by ../chunker.ts.
const APPEND: usize = 2048;
const SHIFT: usize = 4096;

/** The shift that brings the top byte of a fingerprint of degree 53 down. The lanes know only this one. */
const USUAL_SHIFT: u64 = 45;

// @ts-ignore: decorator
@inline
function append(tables: u32, shift: u64, print: u64, byte: u64): u64 {
  return ((print << 8) | byte) ^ load<u64>(tables + (<u32>(print >> shift) << 3), APPEND);
}

/** What the byte that leaves the window contributes once the next one has been appended. */
// @ts-ignore: decorator
@inline
function leaving(tables: u32, byte: u32): u64 {
  return load<u64>(tables + (byte << 3));
}

// @ts-ignore: decorator
@inline
function isCut(print: u64): bool {
  return (print & CUT_MASK) == 0;
}

/** The fingerprint of the 64 bytes before `end`. */
// @ts-ignore: decorator
@inline
function printAt(tables: u32, shift: u64, end: u32): u64 {
  let print: u64 = 0;
  for (let p = end - WINDOW; p < end; p++) print = append(tables, shift, print, <u64>load<u8>(p));
  return print;
}

/** The first cut in `at…to`, both included, or 0. `print` is the fingerprint at `at`. */
function walk(tables: u32, shift: u64, print: u64, at: u32, to: u32): u32 {
  while (!isCut(print)) {
    if (at >= to) return 0;
    const out = leaving(tables, load<u8>(at - WINDOW));
    print = append(tables, shift, print, <u64>load<u8>(at)) ^ out;
    at++;
  }
  return at;
}

/**
 * The first cut in `at…at + 4 * LANE - 1`, or 0: the places of a block, walked in four lanes at once. Only for
 * polynomials of the usual degree.
 */
function block(tables: u32, at: u32): u32 {
  const shift = USUAL_SHIFT;
  let a: u64 = 0;
  let b: u64 = 0;
  let c: u64 = 0;
  let d: u64 = 0;
  for (let p = at - WINDOW; p < at; p++) {
    a = append(tables, shift, a, <u64>load<u8>(p));
    b = append(tables, shift, b, <u64>load<u8>(p, LANE));
    c = append(tables, shift, c, <u64>load<u8>(p, 2 * LANE));
    d = append(tables, shift, d, <u64>load<u8>(p, 3 * LANE));
  }
  const end = at + LANE;
  let p = at;
  for (; p < end; p++) {
    if (isCut(a) || isCut(b) || isCut(c) || isCut(d)) break;
    a = append(tables, shift, a, <u64>load<u8>(p)) ^ leaving(tables, load<u8>(p - WINDOW));
    b = append(tables, shift, b, <u64>load<u8>(p, LANE)) ^ leaving(tables, load<u8>(p - WINDOW, LANE));
    c = append(tables, shift, c, <u64>load<u8>(p, 2 * LANE)) ^ leaving(tables, load<u8>(p - WINDOW, 2 * LANE));
    d = append(tables, shift, d, <u64>load<u8>(p, 3 * LANE)) ^ leaving(tables, load<u8>(p - WINDOW, 3 * LANE));
  }
  if (p == end) return 0;
  // A lane has a cut. The lanes before it have not been walked to their ends yet, and the earliest cut counts.
  let cut = walk(tables, shift, a, p, end);
  if (cut == 0) cut = walk(tables, shift, b, p + LANE, end + LANE);
  if (cut == 0) cut = walk(tables, shift, c, p + 2 * LANE, end + 2 * LANE);
  if (cut == 0) cut = walk(tables, shift, d, p + 3 * LANE, end + 3 * LANE);
  return cut;
}

/**
 * The first address in `from…to`, both included, that ends a window with a cut, or 0 if there is none. The 64
 * bytes before `from` must be there.
 */
export function findCut(tables: u32, from: u32, to: u32): u32 {
  const shift = load<u64>(tables, SHIFT);
  let at = from;
  if (shift == USUAL_SHIFT) {
    for (; to - at >= 4 * LANE; at += 4 * LANE) {
      const cut = block(tables, at);
      if (cut != 0) return cut;
    }
  }
  return walk(tables, shift, printAt(tables, shift, at), at, to);
}
