/** Runs programs of the system that tell about disks or unmount them. Never waits without a bound. */
import { execFile } from 'node:child_process';
import { errnoName } from '../fs/errors.ts';

export interface ToolAnswer {
  /** 'missing': there is no such program; 'late': killed, or left behind where nothing kills it. */
  readonly end: 'well' | 'failed' | 'missing' | 'late';
  readonly stdout: string;
  readonly stderr: string;
}

/** Never rejects. */
export type RunTool = (program: string, args: readonly string[], timeoutMs?: number) => Promise<ToolAnswer>;

const USUAL_MS = 4000;
/** A tool that waits for a disk which hangs can't be killed: then it is left behind. */
const KILL_MS = 500;
const MOST_OUTPUT = 8 << 20;

export const systemTool: RunTool = (program, args, timeoutMs = USUAL_MS) =>
  new Promise((resolve) => {
    const late = { end: 'late', stdout: '', stderr: '' } as const;
    const left = setTimeout(() => resolve(late), timeoutMs + KILL_MS);
    const options = {
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: MOST_OUTPUT,
      windowsHide: true,
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
    } as const;
    execFile(program, args, options, (e, stdout, stderr) => {
      clearTimeout(left);
      resolve({ end: endOf(e), stdout, stderr });
    });
  });

function endOf(e: Error | null): ToolAnswer['end'] {
  if (e === null) return 'well';
  if (errnoName(e) === 'ENOENT') return 'missing';
  return 'killed' in e && e.killed ? 'late' : 'failed';
}
