/** The only script between the page and the main process: gives the page `window.holdfast`, and ports to the host. */
import { contextBridge, type IpcRendererEvent, ipcRenderer } from 'electron';
import type { HostState, Place, PortMessage, ShellBridge, UpdateState } from '../src/api/shell.ts';
import { type Answer, CHANNEL } from './channels.ts';

/** As much of the page's window as is used. This world has it; the compiler's settings for the main process do not. */
interface PageWindow {
  readonly location: { readonly origin: string };
  postMessage(message: unknown, origin: string, ports: readonly unknown[]): void;
}

const page = globalThis as unknown as PageWindow;

async function call<T>(channel: string, input?: unknown): Promise<T> {
  const answer = (await ipcRenderer.invoke(channel, input)) as Answer;
  if (!answer.ok) throw new Error(answer.message);
  return answer.value as T;
}

/** Says which messages are wanted, so that the first one comes at once. */
function listen<T>(channel: string, listener: (message: T) => void): () => void {
  const onMessage = (_event: IpcRendererEvent, message: T) => listener(message);
  ipcRenderer.on(channel, onMessage);
  ipcRenderer.send(CHANNEL.subscribe, channel);
  return () => void ipcRenderer.removeListener(channel, onMessage);
}

// A port cannot cross the bridge, but it can be sent to the page's own window.
ipcRenderer.on(CHANNEL.port, (event) => tellPage({ holdfast: 'port' }, event.ports));
ipcRenderer.on(CHANNEL.portEnded, () => tellPage({ holdfast: 'port-ended' }));

function tellPage(message: PortMessage, ports: readonly unknown[] = []): void {
  page.postMessage(message, page.location.origin, ports);
}

const bridge: ShellBridge = {
  platform: process.platform,
  requestPort: () => ipcRenderer.send(CHANNEL.connect),
  pickFolder: async () => (await call<string[]>(CHANNEL.choose, { what: 'folder' }))[0] ?? null,
  onHost: (listener) => listen<HostState>(CHANNEL.host, listener),
  onNavigate: (listener) => listen<Place>(CHANNEL.navigate, listener),
  onUpdate: (listener) => listen<UpdateState>(CHANNEL.update, listener),
  choose: (request) => call(CHANNEL.choose, request),
  save: (request) => call(CHANNEL.save, request),
  reveal: (path) => call(CHANNEL.reveal, path),
  openUrl: (url) => call(CHANNEL.openUrl, url),
  preferences: () => call(CHANNEL.preferences),
  setPreferences: (change) => call(CHANNEL.setPreferences, change),
  retryHost: () => call(CHANNEL.retryHost),
  installUpdate: () => call(CHANNEL.installUpdate),
};

contextBridge.exposeInMainWorld('holdfast', bridge);
