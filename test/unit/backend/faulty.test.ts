/** The faults themselves: a test that relies on one must not pass because it never struck. */
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../../src/backend/backend.ts';
import { createMemory } from '../../../src/backend/memory/memory.ts';
import { Crash, crashAfter, type Fault, faulty } from '../../helpers/faulty.ts';
import { named, text } from './support.ts';

const [a, b] = [named('index', 'a'), named('index', 'b')];
const wrapped = (...faults: Fault[]) => faulty(faults)(createMemory());

async function names(backend: Backend): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const { name } of backend.list('index')) all.push(name);
  return all.sort();
}

describe('faulty', () => {
  it('shortens and turns a bit at the calls named', async () => {
    const s = wrapped(
      { kind: 'short-read', missing: 2, skip: 1 },
      { kind: 'flipped-bit', bit: 8, name: a.h.name, skip: 2 },
    );
    await s.save(a.h, [Buffer.from('0123')]);
    expect(text(await s.load(a.h))).toBe('0123');
    expect(text(await s.load(a.h))).toBe('01');
    expect(text(await s.load(a.h))).toBe('0023');
    expect(text(await s.load(a.h))).toBe('0123');
  });

  it('fails before or after the work', async () => {
    const error = () => new Error('scripted');
    const s = wrapped(
      { kind: 'error', operation: 'save', error },
      { kind: 'error', operation: 'save', error, skip: 1, afterwards: true },
    );
    await expect(s.save(a.h, a.data)).rejects.toThrow('scripted');
    expect(await names(s)).toEqual([]);
    await expect(s.save(a.h, a.data)).rejects.toThrow('scripted');
    expect(await names(s)).toEqual([a.h.name]);
  });

  it('lists late and stale', async () => {
    const s = wrapped({ kind: 'late-list' }, { kind: 'stale-list', skip: 2 });
    await s.save(a.h, a.data);
    expect(await names(s)).toEqual([]);
    expect(await names(s)).toEqual([a.h.name]);
    await s.remove(a.h);
    await s.save(b.h, b.data);
    expect(await names(s)).toEqual([a.h.name, b.h.name].sort());
    expect(await names(s)).toEqual([b.h.name]);
  });
});

describe('crashAfter', () => {
  it('lets so many writes through and is dead from then on', async () => {
    const memory = createMemory();
    const crash = crashAfter(2);
    const s = crash(memory);
    await s.save(a.h, a.data);
    await s.remove(a.h);
    expect(crash.reached()).toBe(false);
    await expect(s.save(b.h, b.data)).rejects.toThrow(Crash);
    expect(crash.reached()).toBe(true);
    await expect(s.load(b.h)).rejects.toThrow(Crash);
    await expect(s.stat(b.h)).rejects.toThrow(Crash);
    await expect(names(s)).rejects.toThrow(Crash);
    await expect(s.remove(b.h)).rejects.toThrow(Crash);
    expect(await names(memory)).toEqual([]);
  });
});
