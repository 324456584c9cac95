import { listKeys } from '../../operations/keys.ts';
import { defineCommand } from '../command.ts';
import { withRepository } from '../session.ts';
import { renderTable } from '../table.ts';
import { printable } from '../text-width.ts';
import { formatLocalTime } from '../time-format.ts';

export const command = defineCommand({
  usage: '[flags]',
  description: 'Lists the keys of the repository. A star marks the one that was used to open it.',
  options: {},
  async run(context) {
    const { print, globals, json } = context;
    const keys = await withRepository(context, { lock: 'shared' }, ({ repo, signal }) =>
      listKeys(repo, {
        signal,
        onDamaged: (id, e) => print.problem(`The key ${id.slice(0, 8)} can't be read: ${e.message}`),
      }),
    );
    if (globals.json) {
      return json.write(
        keys.map(({ current, id, username, hostname, created }) => ({
          current,
          id,
          userName: username,
          hostName: hostname,
          created: formatLocalTime(created),
        })),
      );
    }
    const rows = keys.map(({ current, id, username, hostname, created }) => [
      `${current ? '*' : ' '}${id.slice(0, 8)}`,
      printable(username),
      printable(hostname),
      formatLocalTime(created),
    ]);
    for (const line of renderTable({ columns: [' ID', 'User', 'Host', 'Created'], rows })) print.result(line);
  },
});
