/** The kinds of storages as people see them. */
import {
  IconBrandDropbox,
  IconBrandGoogleDrive,
  IconBucket,
  IconDatabase,
  IconFolder,
  IconServer,
  IconServerBolt,
  IconTerminal2,
  type TablerIcon,
} from '@tabler/icons-react';
import type { Destination } from '../../src/api/model/destination.ts';

const ICONS: Readonly<Record<string, TablerIcon>> = {
  local: IconFolder,
  gdrive: IconBrandGoogleDrive,
  dropbox: IconBrandDropbox,
  s3: IconBucket,
  sftp: IconTerminal2,
  rest: IconServerBolt,
};

export const kindIcon = (kind: string): TablerIcon => ICONS[kind] ?? IconServer;

export function destinationIcon({ kind, disks }: Pick<Destination, 'kind' | 'disks'>): TablerIcon {
  return disks.length > 0 ? IconDatabase : kindIcon(kind);
}
