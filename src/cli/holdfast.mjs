#!/usr/bin/env node
// Starts Holdfast. Written so that Node versions far too old can still read it and say so.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const LEAST_NODE = 24;
const project = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

if (Number.parseInt(process.versions.node, 10) >= LEAST_NODE) await start();
else runWithBundledNode();

async function start() {
  // Compiled code may only be taken from where the code itself could be changed, not from a shared temporary folder.
  module.enableCompileCache?.(path.join(project, 'dist', '.compile-cache'));
  const built = path.join(project, 'dist', 'holdfast.mjs');
  const entry = existsSync(built) ? built : path.join(project, 'src', 'cli', 'main.ts');
  await import(pathToFileURL(entry).href);
}

function runWithBundledNode() {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const node = [
    path.join(project, 'node_modules', '.bin', name),
    path.join(project, 'node_modules', 'node', 'bin', name),
  ].find((candidate) => existsSync(candidate));
  if (node === undefined) {
    process.stderr.write(
      `Holdfast needs Node.js ${LEAST_NODE} or newer; this is ${process.version}. Run \`npm ci\` in ${project}, which brings one along, or install one from nodejs.org.\n`,
    );
    process.exit(1);
  }
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1']) {
    if (process.platform === 'win32' && signal === 'SIGUSR1') continue;
    process.on(signal, () => {
      // Ctrl-C at a terminal reaches the child by itself; twice would mean "stop at once".
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`${node} can't be run: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
