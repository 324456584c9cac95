import { defineCommand } from '../command.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { flag } from '../options.ts';
import { findRun } from '../reference.ts';
import { logLine, runLines } from '../run-text.ts';
import { printable } from '../text-width.ts';

/** As many as one call gives. */
const PAGE = 1000;

export const command = defineCommand({
  usage: '[flags] run',
  description: `Shows a run: how it went, its problems and, with --log, its log. A run is named by the beginning of its id, the newest
one by "latest". With --json the log and the problems are part of the object.`,
  options: { ...hostOptions, log: flag('--log', 'print its log as well') },
  operands: { least: 1 },
  async run(context, [reference = ''], flags) {
    const { globals, json, print, clock, signal } = context;
    const { run, log, problems } = await withHost(context, flags, async ({ client }) => {
      const found = await findRun(client, reference, signal);
      const { id } = found;
      return {
        run: found,
        log: flags.log || globals.json ? await client.runs.log({ id }, { signal }) : [],
        problems: found.problemCount === 0 ? [] : await client.runs.problems({ id, limit: PAGE }, { signal }),
      };
    });
    if (globals.json) return json.write({ ...run, problems, log });
    for (const line of runLines(run, clock.now())) print.result(line);
    for (const { path, error } of problems) print.result(`  ${printable(path)}: ${printable(error.message)}`);
    if (run.problemCount > problems.length) print.result(`  and ${run.problemCount - problems.length} more`);
    for (const line of log) print.result(logLine(line));
  },
});
