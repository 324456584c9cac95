/** A port of the main process, in the shape that pages know: so the shell speaks the contract with the same client as they do. */
import type { MessagePortMain } from 'electron';
import type { connectPort } from '../src/transport/browser.ts';

type WebPort = Parameters<typeof connectPort>[0];

export function webPort(port: MessagePortMain): WebPort {
  function addEventListener(
    name: 'message' | 'close',
    listener: (event: { readonly data: unknown }) => void,
  ): void {
    if (name === 'message') port.on('message', ({ data }) => listener({ data }));
    else port.on('close', () => listener({ data: undefined }));
  }
  return {
    postMessage: (message) => port.postMessage(message),
    addEventListener,
    start: () => port.start(),
    close: () => port.close(),
  };
}
