import { defineCommand } from '../command.ts';
import { dataFolder, hostOptions } from '../host-client.ts';
import { loginOptions, sayWho, throughBrowser } from '../storage-login.ts';

const { clientId, clientSecret } = loginOptions;

export const command = defineCommand({
  usage: '[flags] location',
  description: `Signs in to a cloud in a browser (gdrive:… or dropbox:…), for commands that are given the repository with --repo. The
login is kept, sealed, in the data folder. Destinations have logins of their own: see \`destination add\` and
\`destination sign-in\`.

Where the browser runs on another computer, the address that it ends at, or the code it shows, is pasted here.`,
  options: { ...hostOptions, clientId, clientSecret },
  operands: { least: 1 },
  async run(context, [location = ''], flags) {
    const { globals, json, signal } = context;
    const host = await context.host();
    const signIn = await host.beginLogin({
      location,
      clientId: flags.clientId,
      clientSecret: flags.clientSecret,
      options: globals.storageOptions,
      dataDir: dataFolder(context, flags),
    });
    try {
      const account = await throughBrowser(context, signIn.url, (pasted, over) =>
        signIn.done({ ...(pasted === undefined ? {} : { pasted }), signal: AbortSignal.any([signal, over]) }),
      );
      if (globals.json) return json.write({ account });
      sayWho(context, account);
    } finally {
      signIn.close();
    }
  },
});
