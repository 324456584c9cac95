import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import { describeWait, RunQueue, type Wait } from '../../../src/scheduler/queue.ts';

/** Tasks that end when the test says so. */
function bench(maxRunning = 10) {
  const queue = new RunQueue({ maxRunning });
  const began: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const signals = new Map<string, AbortSignal>();
  const results = new Map<string, string>();
  const add = (id: string, destinations: string, options: Parameters<RunQueue['enqueue']>[3] = {}) =>
    queue
      .enqueue(
        id,
        [...destinations],
        (signal) => {
          began.push(id);
          signals.set(id, signal);
          return new Promise<string>((resolve, reject) => {
            ends.set(id, (error) => (error ? reject(error) : resolve('done')));
          });
        },
        options,
      )
      .then(
        (result) => results.set(id, result),
        (error: Error) => results.set(id, error.message),
      );
  const end = async (id: string, error?: Error) => {
    ends.get(id)!(error);
    await turn();
  };
  return { queue, began, add, end, results, signals };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('RunQueue', () => {
  it('runs one at a time per repository, in the order of coming, and others beside it', async () => {
    const b = bench();
    for (const [id, destinations] of [
      ['1', 'a'],
      ['2', 'a'],
      ['3', 'b'],
      ['4', 'a'],
    ] as const) {
      void b.add(id, destinations);
    }
    expect(b.queue.running()).toEqual(['1', '3']);
    expect(b.queue.waiting()).toEqual([
      { id: '2', position: 1, behind: '1', held: false },
      { id: '4', position: 2, behind: '2', held: false },
    ]);
    await b.end('1');
    expect(b.queue.running()).toEqual(['3', '2']);
    await b.end('2');
    await b.end('4');
    await b.end('3');
    expect(b.began).toEqual(['1', '3', '2', '4']);
    expect([...b.results.values()]).toEqual(['done', 'done', 'done', 'done']);
    expect(b.queue.running()).toEqual([]);
  });

  it('lets a task of two repositories keep its place at both', async () => {
    const b = bench();
    void b.add('1', 'a');
    void b.add('copy', 'ab');
    void b.add('3', 'b');
    expect(b.began).toEqual(['1']);
    await b.end('1');
    expect(b.began).toEqual(['1', 'copy']);
    await b.end('copy');
    expect(b.began).toEqual(['1', 'copy', '3']);
  });

  it('keeps to the maximum', async () => {
    const b = bench(2);
    for (const id of ['1', '2', '3']) void b.add(id, id);
    expect(b.queue.waiting()).toEqual([{ id: '3', position: 1, behind: null, held: false }]);
    await b.end('2');
    expect(b.queue.running()).toEqual(['1', '3']);
  });

  it('tells whoever waits of each change, and no more once it runs', async () => {
    const b = bench();
    const waits: Wait[] = [];
    void b.add('1', 'a');
    void b.add('2', 'a');
    void b.add('3', 'a', { onWait: (wait) => waits.push(wait) });
    await b.end('1');
    await b.end('2');
    await b.end('3');
    expect(waits).toEqual([
      { position: 2, behind: '2', held: false },
      { position: 1, behind: '2', held: false },
    ]);
    expect(waits.map(describeWait)).toEqual([
      'It is number 2 in the queue; another run uses the same destination.',
      'It is next; another run uses the same destination.',
    ]);
    expect(describeWait({ position: 1, behind: null, held: false })).toContain('as many runs as may run');
  });

  it('holds a task as long as it is told to, lets others pass, and gives it its place back', async () => {
    const b = bench();
    let paused = true;
    const waits: Wait[] = [];
    const held = () => paused;
    void b.add('1', 'a');
    void b.add('2', 'a', { held, onWait: (wait) => waits.push(wait) });
    void b.add('3', 'a');
    void b.add('4', 'b', { held });
    expect(b.queue.waiting()).toEqual([
      { id: '2', position: 1, behind: '1', held: true },
      { id: '3', position: 1, behind: '1', held: false },
      { id: '4', position: 2, behind: null, held: true },
    ]);
    await b.end('1');
    expect(b.queue.running()).toEqual(['3']);
    void b.add('5', 'a');
    paused = false;
    b.queue.review();
    expect(b.queue.running()).toEqual(['3', '4']);
    expect(waits.at(-1)).toEqual({ position: 1, behind: '3', held: false });
    await b.end('3');
    expect(b.queue.running()).toEqual(['4', '2']);
    expect(describeWait(waits[0]!)).toContain('resumed');
  });

  it('cancels a held task like any other', async () => {
    const b = bench();
    void b.add('1', 'a', { held: () => true });
    expect(b.queue.cancel('1', new Error('not wanted'))).toBe(true);
    await turn();
    expect(b.results.get('1')).toBe('not wanted');
    expect(b.began).toEqual([]);
  });

  it('takes a cancelled task out, and those behind it move up', async () => {
    const b = bench();
    void b.add('1', 'a');
    void b.add('copy', 'ab');
    void b.add('3', 'b');
    expect(b.queue.cancel('copy')).toBe(true);
    await turn();
    expect(b.results.get('copy')).toBe('Stopped before it began.');
    expect(b.queue.running()).toEqual(['1', '3']);
    expect(b.queue.cancel('copy')).toBe(false);
  });

  it('hands a cancel on to work under way, with its reason', async () => {
    const b = bench();
    const person = new AbortController();
    void b.add('1', 'a', { signal: person.signal });
    void b.add('2', 'b');
    person.abort('by hand');
    b.queue.cancel('2');
    expect(b.signals.get('1')?.reason).toBe('by hand');
    expect(b.signals.get('2')?.reason).toMatchObject({ code: 'cancelled' });
    expect(b.queue.running()).toEqual(['1', '2']);
  });

  it('takes a waiting task out by its signal, and begins none whose signal is aborted', async () => {
    const b = bench();
    const person = new AbortController();
    void b.add('1', 'a');
    void b.add('2', 'a', { signal: person.signal });
    person.abort(new Error('by hand'));
    void b.add('3', 'b', { signal: person.signal });
    await turn();
    expect([b.results.get('2'), b.results.get('3')]).toEqual(['by hand', 'by hand']);
    expect(b.queue.waiting()).toEqual([]);
  });

  it('goes on after failures, also such as come before the first await', async () => {
    const b = bench();
    void b.add('1', 'a');
    const thrown = b.queue.enqueue('2', ['a'], () => {
      throw new Error('at once');
    });
    void b.add('3', 'a');
    const outcome = expect(thrown).rejects.toThrow('at once');
    await b.end('1', new Error('late'));
    await outcome;
    expect(b.results.get('1')).toBe('late');
    expect(b.queue.running()).toEqual(['3']);
  });

  it('refuses an id twice, and everything once it is closed', async () => {
    const b = bench();
    void b.add('1', 'a');
    await expect(b.queue.enqueue('1', [], async () => 1)).rejects.toMatchObject({ code: 'internal' });
    void b.add('2', 'a');
    b.queue.close(new EngineError('cancelled', 'Holdfast stops.'));
    void b.add('3', 'b');
    await b.end('1');
    expect(b.results).toEqual(
      new Map([
        ['2', 'Holdfast stops.'],
        ['3', 'Holdfast stops.'],
        ['1', 'done'],
      ]),
    );
    expect(b.began).toEqual(['1']);
  });
});

describe('any history of the queue', () => {
  type Step =
    | { readonly add: string }
    | { readonly end: number; readonly fails: boolean }
    | { readonly cancel: number };
  const steps: fc.Arbitrary<Step> = fc.oneof(
    { weight: 3, arbitrary: fc.record({ add: fc.constantFrom('a', 'b', 'c', 'ab', 'bc', 'abc', '') }) },
    { weight: 2, arbitrary: fc.record({ end: fc.nat(), fails: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ cancel: fc.nat() }) },
  );

  it('has no two on one repository, no overtaking, never more than the maximum, nobody forgotten', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(steps, { maxLength: 60 }),
        fc.integer({ min: 1, max: 4 }),
        async (list, max) => {
          const b = bench(max);
          const needs = new Map<string, string>();
          const cancelled = new Set<string>();
          const check = () => {
            const running = b.queue.running();
            expect(running.length).toBeLessThanOrEqual(max);
            const used = running.flatMap((id) => [...needs.get(id)!]);
            expect(new Set(used).size).toBe(used.length);
            // Whoever waits is behind somebody, or all places are taken.
            for (const wait of b.queue.waiting())
              expect(wait.behind !== null || running.length === max).toBe(true);
          };
          for (const step of list) {
            if ('add' in step) {
              const id = String(needs.size);
              needs.set(id, step.add);
              void b.add(id, step.add);
            } else if ('end' in step) {
              const running = b.queue.running();
              const id = running[step.end % running.length];
              if (id !== undefined) await b.end(id, step.fails ? new Error('no') : undefined);
            } else {
              const waiting = b.queue.waiting();
              const id = waiting[step.cancel % waiting.length]?.id;
              if (id !== undefined) cancelled.add(id);
              if (id !== undefined) b.queue.cancel(id);
            }
            check();
          }
          for (let id = b.queue.running()[0]; id !== undefined; id = b.queue.running()[0]) await b.end(id);
          const wanted = [...needs.keys()].filter((id) => !cancelled.has(id));
          expect([...b.began].sort()).toEqual([...wanted].sort());
          expect(b.results.size).toBe(needs.size);
          for (const destination of 'abc') {
            const order = b.began.filter((id) => needs.get(id)!.includes(destination)).map(Number);
            expect(order).toEqual([...order].sort((x, y) => x - y));
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
