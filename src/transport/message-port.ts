/** The contract over message ports, both ends. */
import type { AnyRouter } from '@orpc/server';
import type { Client } from './client.ts';
import { pipeClient } from './pipe-client.ts';
import { type PipeServerOptions, pipeServer } from './pipe-server.ts';
import { type Port, portPipe } from './port-pipe.ts';

/** Serves the contract on a port until it closes. */
export function serveMessagePort(router: AnyRouter, port: Port, options: PipeServerOptions): void {
  pipeServer(router, options)(portPipe(port));
}

/** A client at the other end of a port. */
export function messagePortClient(port: Port): Client {
  return pipeClient(portPipe(port));
}
