/** Names of the messages between the window and the main process. The preload script knows them too, so nothing is imported here. */
export const CHANNEL = {
  connect: 'holdfast:connect',
  port: 'holdfast:port',
  portEnded: 'holdfast:port-ended',
  host: 'holdfast:host',
  navigate: 'holdfast:navigate',
  update: 'holdfast:update',
  subscribe: 'holdfast:subscribe',
  choose: 'holdfast:choose',
  save: 'holdfast:save',
  reveal: 'holdfast:reveal',
  openUrl: 'holdfast:open-url',
  preferences: 'holdfast:preferences',
  setPreferences: 'holdfast:set-preferences',
  retryHost: 'holdfast:retry-host',
  installUpdate: 'holdfast:install-update',
} as const;

/** What a call is answered with. Errors cross as sentences: Electron would put its own words before them. */
export type Answer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string };
