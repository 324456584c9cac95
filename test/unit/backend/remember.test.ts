import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import type { Backend, Handle } from '../../../src/backend/backend.ts';
import { createMemory } from '../../../src/backend/memory/memory.ts';
import { remember } from '../../../src/backend/remember.ts';
import { counting } from '../../helpers/counting.ts';
import { faulty } from '../../helpers/faulty.ts';
import { lagging } from '../../helpers/lagging.ts';
import { bytes, fakeClock, named } from './support.ts';

const HOUR = 3_600_000;
const [a, b] = ['a', 'b'].map((content) => named('index', content).h) as [Handle, Handle];

function setUp(o: { readonly lag?: number; readonly most?: number } = {}) {
  const clock = fakeClock();
  const memory = createMemory();
  const lag = lagging(o.lag ?? 1000);
  const count = counting();
  const mine = remember({ clock, ...(o.most === undefined ? {} : { most: o.most }) })(count(lag(memory)));
  return { clock, memory, lag, count, mine };
}

async function listed(backend: Backend): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { name, size } of backend.list('index')) found.push(`${name} ${size}`);
  return found.sort();
}

const lines = (...files: readonly (readonly [Handle, number])[]) =>
  files.map(([h, size]) => `${h.name} ${size}`).sort();

describe('remember', () => {
  it('shows what it saved and hides what it removed, while the list lags', async () => {
    const { mine, lag } = setUp();
    await mine.save(a, [bytes('abc')]);
    expect(await listed(mine)).toEqual(lines([a, 3]));
    lag.catchUp();
    expect(await listed(mine)).toEqual(lines([a, 3]));
    await mine.remove(a);
    await mine.save(b, [bytes('de'), bytes('f')]);
    expect(await listed(mine)).toEqual(lines([b, 3]));
    await mine.save(a, [bytes('again')]);
    expect(await listed(mine)).toEqual(lines([a, 5], [b, 3]));
  });

  it('shows the new size of what it replaced', async () => {
    const { mine, lag } = setUp();
    await mine.save(a, [bytes('abc')]);
    lag.catchUp();
    await mine.save(a, [bytes('longer')]);
    expect(await listed(mine)).toEqual(lines([a, 6]));
  });

  it('believes the list again once it agreed: others may have done something since', async () => {
    const { mine, lag } = setUp();
    const other = lag(createMemory());
    await mine.save(a, [bytes('abc')]);
    await mine.save(b, [bytes('b')]);
    await mine.remove(b);
    lag.catchUp();
    expect(await listed(mine)).toEqual(lines([a, 3]));
    await other.remove(a);
    await other.save(b, [bytes('by another')]);
    lag.catchUp();
    expect(await listed(mine)).toEqual(lines([b, 10]));
  });

  it('asks for what the list should have shown long ago, and believes the answer', async () => {
    const { mine, memory, clock, count } = setUp();
    await mine.save(a, [bytes('abc')]);
    await mine.save(b, [bytes('b')]);
    await memory.remove(a);
    expect(await listed(mine)).toEqual(lines([a, 3], [b, 1]));
    expect(count.calls.stat).toBe(0);
    clock.advance(HOUR);
    expect(await listed(mine)).toEqual(lines([b, 1]));
    expect(count.calls.stat).toBe(2);
    expect(await listed(mine)).toEqual(lines([b, 1]));
    expect(count.calls.stat).toBe(3);
  });

  it('notes nothing of what may not have happened', async () => {
    const { memory, lag } = setUp();
    const broken = () => new EngineError('unreachable', 'gone', { transient: true });
    const faults = (['save', 'remove'] as const).map(
      (operation) =>
        ({ kind: 'error', operation, skip: operation === 'save' ? 1 : 0, error: broken }) as const,
    );
    const mine = remember()(faulty(faults)(lag(memory)));
    await mine.save(a, [bytes('abc')]);
    lag.catchUp();
    await expect(mine.save(b, [bytes('b')])).rejects.toMatchObject({ code: 'unreachable' });
    await expect(mine.remove(a)).rejects.toMatchObject({ code: 'unreachable' });
    expect(await listed(mine)).toEqual(lines([a, 3]));
  });

  it('does not hide, at the end of a list, what was saved in its midst', async () => {
    const { mine, lag } = setUp();
    await mine.save(a, [bytes('abc')]);
    lag.catchUp();
    const found: string[] = [];
    for await (const { name } of mine.list('index')) {
      found.push(name);
      if (name === a.name) await mine.save(b, [bytes('b')]);
    }
    expect(found).toEqual([a.name, b.name]);
    expect(await listed(mine)).toEqual(lines([a, 3], [b, 1]));
  });

  it('keeps only so many notes, the newest', async () => {
    const { mine } = setUp({ most: 2 });
    const files = ['1', '2', '3', '4'].map((content) => named('index', content));
    for (const { h, data } of files) await mine.save(h, data);
    expect(await listed(mine)).toEqual(lines(...files.slice(2).map(({ h }) => [h, 1] as const)));
  });

  it('leaves what it need not know of alone', async () => {
    const { mine } = setUp();
    expect(mine.traits.listLag).toBe(true);
    expect(await listed(mine)).toEqual([]);
    await mine.save(named('lock', 'l').h, [bytes('l')]);
    expect(await listed(mine)).toEqual([]);
  });
});
