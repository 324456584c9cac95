/** The storages that this program offers. The only place that names them. What a storage needs is loaded when it is used. */

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
  {
    scheme: 's3',
    title: 'S3',
    remote: true,
    open: async (target, o) => (await import('../backend/s3/s3.ts')).openS3(target, o),
    create: async (target, o) => (await import('../backend/s3/s3.ts')).createS3(target, o),
  },
  {
    scheme: 'sftp',
    title: 'Server over SSH',
    remote: true,
    open: async (target, o) => (await import('../backend/sftp/sftp.ts')).openSftp(target, o),
    create: async (target, o) => (await import('../backend/sftp/sftp.ts')).createSftp(target, o),
  },
  {
    scheme: 'rest',
    title: 'REST server',
    remote: true,
    open: async (target, o) => (await import('../backend/rest/rest.ts')).openRest(target, o),
    create: async (target, o) => (await import('../backend/rest/rest.ts')).createRest(target, o),
  },
  {
    scheme: 'gdrive',
    title: 'Google Drive',
    remote: true,
    open: async (target, o) => (await import('../backend/gdrive/gdrive.ts')).openDrive(target, o),
    signIn: async (o) => (await import('../backend/gdrive/gdrive.ts')).driveSignIn(o),
    create: async (target, o) => (await import('../backend/gdrive/gdrive.ts')).createDrive(target, o),
  },
  {
    scheme: 'dropbox',
    title: 'Dropbox',
    remote: true,
    open: async (target, o) => (await import('../backend/dropbox/dropbox.ts')).openDropbox(target, o),
    signIn: async (o) => (await import('../backend/dropbox/dropbox.ts')).dropboxSignIn(o),
    create: async (target, o) => (await import('../backend/dropbox/dropbox.ts')).createDropbox(target, o),
  },
];
