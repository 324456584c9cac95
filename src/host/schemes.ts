/** The storages that this program offers. The only place that names them. */

import { createLocal, openLocal } from '../backend/local/local.ts';
import type { SchemeTable } from '../backend/registry.ts';

export const SCHEMES: SchemeTable = [
  {
    scheme: 'local',
    title: 'Folder or disk',
    remote: false,
    open: (target) => openLocal(target),
    create: (target) => createLocal(target),
  },
];
