/** Every command, a line each, in the order in which the help lists them. */
import type { Registry } from './command.ts';

export const registry: Registry = {
  init: {
    kind: 'command',
    summary: 'Make a new repository',
    load: () => import('./commands/init.ts'),
  },
  backup: {
    kind: 'command',
    summary: 'Back up files and folders',
    load: () => import('./commands/backup.ts'),
  },
  snapshots: {
    kind: 'command',
    summary: 'List the snapshots',
    load: () => import('./commands/snapshots.ts'),
  },
  ls: {
    kind: 'command',
    summary: 'List what is in a snapshot',
    load: () => import('./commands/ls.ts'),
  },
  dump: {
    kind: 'command',
    summary: 'write a file or a folder of a snapshot to the standard output',
    load: () => import('./commands/dump.ts'),
  },
  find: {
    kind: 'command',
    summary: 'Find files in all snapshots',
    load: () => import('./commands/find.ts'),
  },
  diff: {
    kind: 'command',
    summary: 'Show what changed between two snapshots',
    load: () => import('./commands/diff.ts'),
  },
  stats: {
    kind: 'command',
    summary: 'Count what is in the repository',
    load: () => import('./commands/stats.ts'),
  },
  check: {
    kind: 'command',
    summary: 'Check that the repository is whole',
    load: () => import('./commands/check.ts'),
  },
  repair: {
    kind: 'group',
    summary: 'Repair a damaged repository',
    entries: {
      index: {
        kind: 'command',
        summary: 'Make the index fit the packs',
        load: () => import('./commands/repair-index.ts'),
      },
      packs: {
        kind: 'command',
        summary: 'Save what is good in damaged packs',
        load: () => import('./commands/repair-packs.ts'),
      },
      snapshots: {
        kind: 'command',
        summary: 'Make whole snapshots out of damaged ones',
        load: () => import('./commands/repair-snapshots.ts'),
      },
    },
  },
  'rebuild-index': {
    kind: 'command',
    summary: 'The old name of "repair index"',
    hidden: true,
    load: () => import('./commands/repair-index.ts'),
  },
  forget: {
    kind: 'command',
    summary: 'Remove snapshots by rules or by name',
    load: () => import('./commands/forget.ts'),
  },
  prune: {
    kind: 'command',
    summary: 'Remove the data that no snapshot needs',
    load: () => import('./commands/prune.ts'),
  },
  copy: {
    kind: 'command',
    summary: 'Copy snapshots from another repository',
    load: () => import('./commands/copy.ts'),
  },
  restore: {
    kind: 'command',
    summary: 'restore the files of a snapshot',
    load: () => import('./commands/restore.ts'),
  },
  rewrite: {
    kind: 'command',
    summary: 'Take files out of snapshots',
    load: () => import('./commands/rewrite.ts'),
  },
  tag: {
    kind: 'command',
    summary: 'Change the tags of snapshots',
    load: () => import('./commands/tag.ts'),
  },
  key: {
    kind: 'group',
    summary: 'Manage the passwords of the repository',
    entries: {
      list: {
        kind: 'command',
        summary: 'List the keys',
        load: () => import('./commands/key-list.ts'),
      },
      add: {
        kind: 'command',
        summary: 'Add a password',
        load: () => import('./commands/key-add.ts'),
      },
      remove: {
        kind: 'command',
        summary: 'Remove a password',
        load: () => import('./commands/key-remove.ts'),
      },
      passwd: {
        kind: 'command',
        summary: 'Change the password',
        load: () => import('./commands/key-passwd.ts'),
      },
    },
  },
  recover: {
    kind: 'command',
    summary: 'Make a snapshot of what no snapshot has any more',
    load: () => import('./commands/recover.ts'),
  },
  unlock: {
    kind: 'command',
    summary: 'Remove locks that were left behind',
    load: () => import('./commands/unlock.ts'),
  },
  list: {
    kind: 'command',
    summary: 'List packs, blobs and other objects',
    load: () => import('./commands/list.ts'),
  },
  cat: {
    kind: 'command',
    summary: 'Print an object of the repository',
    load: () => import('./commands/cat.ts'),
  },
  login: {
    kind: 'command',
    summary: 'Sign in to a cloud, for --repo',
    load: () => import('./commands/login.ts'),
  },
  cache: {
    kind: 'command',
    summary: 'List local caches and remove old ones',
    load: () => import('./commands/cache.ts'),
  },
  plan: {
    kind: 'group',
    summary: 'Manage what is backed up, where to and when',
    usual: 'list',
    entries: {
      list: {
        kind: 'command',
        summary: 'List the plans',
        load: () => import('./commands/plan-list.ts'),
      },
      show: {
        kind: 'command',
        summary: 'Show all of a plan',
        load: () => import('./commands/plan-show.ts'),
      },
      add: {
        kind: 'command',
        summary: 'Make a plan',
        load: () => import('./commands/plan-add.ts'),
      },
      edit: {
        kind: 'command',
        summary: 'Change a plan',
        load: () => import('./commands/plan-edit.ts'),
      },
      remove: {
        kind: 'command',
        summary: 'Remove a plan',
        load: () => import('./commands/plan-remove.ts'),
      },
      run: {
        kind: 'command',
        summary: 'Back up now',
        load: () => import('./commands/plan-run.ts'),
      },
      status: {
        kind: 'command',
        summary: 'Say how fresh the backups are',
        load: () => import('./commands/plan-status.ts'),
      },
    },
  },
  destination: {
    kind: 'group',
    summary: 'Manage the places where backups are kept',
    usual: 'list',
    entries: {
      list: {
        kind: 'command',
        summary: 'List the destinations',
        load: () => import('./commands/destination-list.ts'),
      },
      add: {
        kind: 'command',
        summary: 'Add a destination',
        load: () => import('./commands/destination-add.ts'),
      },
      edit: {
        kind: 'command',
        summary: 'Change a destination',
        load: () => import('./commands/destination-edit.ts'),
      },
      remove: {
        kind: 'command',
        summary: 'Forget a destination',
        load: () => import('./commands/destination-remove.ts'),
      },
      test: {
        kind: 'command',
        summary: 'Try out a destination or a location',
        load: () => import('./commands/destination-test.ts'),
      },
      'sign-in': {
        kind: 'command',
        summary: 'Give a destination its login anew',
        load: () => import('./commands/destination-sign-in.ts'),
      },
      check: {
        kind: 'command',
        summary: 'Check that all versions are whole',
        load: () => import('./commands/destination-check.ts'),
      },
      disks: {
        kind: 'command',
        summary: 'List the disks of a destination',
        load: () => import('./commands/destination-disks.ts'),
      },
      'add-disk': {
        kind: 'command',
        summary: 'Make a further disk part of a destination',
        load: () => import('./commands/destination-add-disk.ts'),
      },
      'remove-disk': {
        kind: 'command',
        summary: 'Take a disk out of a destination',
        load: () => import('./commands/destination-remove-disk.ts'),
      },
      eject: {
        kind: 'command',
        summary: 'Unmount the disk of a destination',
        load: () => import('./commands/destination-eject.ts'),
      },
      'clean-up': {
        kind: 'command',
        summary: 'Forget old versions and free space',
        load: () => import('./commands/destination-clean-up.ts'),
      },
      kit: {
        kind: 'command',
        summary: 'Make the recovery kit, a page to print',
        load: () => import('./commands/destination-kit.ts'),
      },
    },
  },
  runs: {
    kind: 'group',
    summary: 'See what was done and is being done',
    usual: 'list',
    entries: {
      list: {
        kind: 'command',
        summary: 'List the runs',
        load: () => import('./commands/runs-list.ts'),
      },
      show: {
        kind: 'command',
        summary: 'Show a run with its problems and log',
        load: () => import('./commands/runs-show.ts'),
      },
      cancel: {
        kind: 'command',
        summary: 'Stop a run',
        load: () => import('./commands/runs-cancel.ts'),
      },
      again: {
        kind: 'command',
        summary: 'Do again what a run did',
        load: () => import('./commands/runs-again.ts'),
      },
    },
  },
  status: {
    kind: 'command',
    summary: 'Say whether everything is protected',
    load: () => import('./commands/status.ts'),
  },
  alerts: {
    kind: 'group',
    summary: 'See what is wrong, and manage who is told',
    usual: 'list',
    entries: {
      list: {
        kind: 'command',
        summary: 'List what is wrong and what is over',
        load: () => import('./commands/alerts-list.ts'),
      },
      channels: {
        kind: 'command',
        summary: 'List who is told, and of what',
        load: () => import('./commands/alerts-channels.ts'),
      },
      add: {
        kind: 'group',
        summary: 'Add a channel by which somebody is told',
        entries: {
          email: {
            kind: 'command',
            summary: 'Tell by e-mail',
            load: () => import('./commands/alerts-add-email.ts'),
          },
          webhook: {
            kind: 'command',
            summary: 'Post JSON to an address',
            load: () => import('./commands/alerts-add-webhook.ts'),
          },
          ntfy: {
            kind: 'command',
            summary: 'Tell phones by a topic of ntfy',
            load: () => import('./commands/alerts-add-ntfy.ts'),
          },
          monitor: {
            kind: 'command',
            summary: 'Let a monitor elsewhere notice when backups stop',
            load: () => import('./commands/alerts-add-monitor.ts'),
          },
          desktop: {
            kind: 'command',
            summary: 'Show notes on the desktop',
            load: () => import('./commands/alerts-add-desktop.ts'),
          },
        },
      },
      edit: {
        kind: 'command',
        summary: 'Change a channel, or switch it off and on',
        load: () => import('./commands/alerts-edit.ts'),
      },
      remove: {
        kind: 'command',
        summary: 'Remove a channel',
        load: () => import('./commands/alerts-remove.ts'),
      },
      test: {
        kind: 'command',
        summary: 'Send a message to try a channel out',
        load: () => import('./commands/alerts-test.ts'),
      },
    },
  },
  pause: {
    kind: 'command',
    summary: 'Let nothing start by itself for a while',
    load: () => import('./commands/pause.ts'),
  },
  resume: {
    kind: 'command',
    summary: 'End a pause',
    load: () => import('./commands/resume.ts'),
  },
  config: {
    kind: 'group',
    summary: 'Carry plans and settings to another computer',
    entries: {
      export: {
        kind: 'command',
        summary: 'Print plans and settings as YAML',
        load: () => import('./commands/config-export.ts'),
      },
      import: {
        kind: 'command',
        summary: 'Take over plans and settings from a file',
        load: () => import('./commands/config-import.ts'),
      },
    },
  },
  serve: {
    kind: 'command',
    summary: 'Run plans by their schedules, and show everything in a browser',
    load: () => import('./commands/serve.ts'),
  },
  service: {
    kind: 'group',
    summary: 'Keep serve running with systemd',
    entries: {
      install: {
        kind: 'command',
        summary: 'Install and start the service',
        load: () => import('./commands/service-install.ts'),
      },
      status: {
        kind: 'command',
        summary: 'Say whether the service runs',
        load: () => import('./commands/service-status.ts'),
      },
      remove: {
        kind: 'command',
        summary: 'Stop and remove the service',
        load: () => import('./commands/service-remove.ts'),
      },
    },
  },
  version: {
    kind: 'command',
    summary: 'Print the version',
    load: () => import('./commands/version.ts'),
  },
  welcome: {
    kind: 'command',
    summary: 'Start here: the first backup in one question',
    load: () => import('./commands/welcome.ts'),
  },
};
