/**
 * The end of this process, at once. Node's own waits for V8's threads; one that compiles may at that moment wait for a collection
 * of garbage, which the main thread makes no more, and the process hangs for ever (nodejs/node#54918, in Node 24 as well; met
 * in about one of some thousand runs). So the C library ends it where it can be had: no other thread is asked.
 *
 * What must be written has been written by then: streams are flushed and databases closed by whoever calls.
 */
import module from 'node:module';
import process from 'node:process';
import { libc } from './libc.ts';

/** Listeners of 'exit' run as ever, those of this function last. */
export function endProcess(code: number): never {
  process.once('exit', (final) => {
    // Node would do that in the part of its end that is left out.
    module.flushCompileCache();
    libc()?._exit?.(final);
  });
  process.exit(code);
}
