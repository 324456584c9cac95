/** The entry of the host's process in the desktop app. */
import process from 'node:process';
import { endProcess } from '../fs/end-process.ts';
import { HostUtility } from './utility.ts';

const { parentPort } = process as unknown as { parentPort?: ConstructorParameters<typeof HostUtility>[0] };
if (!parentPort) throw new Error('This file is started by the Holdfast app.');
new HostUtility(parentPort, endProcess);
