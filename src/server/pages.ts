/** The pages that somebody sees who isn't signed in. They have no script and one style. */
import { createHash } from 'node:crypto';
import { policyForStyle } from './guards.ts';

const STYLE = `
:root { color-scheme: light dark; --ink: #1b2430; --paper: #f4f6f8; --card: #fff; --line: #c9d1da; --act: #1f5fbf; --bad: #a3231f }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6ebf1; --paper: #12171d; --card: #1b222b; --line: #3b4755; --act: #7fb0ff; --bad: #ff9b94 }
}
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif }
main { width: 100%; max-width: 24rem; padding: 2rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem }
h1 { margin: 0 0 1rem; font-size: 1.4rem }
label { display: block; font-weight: 600 }
input, button { width: 100%; padding: .6rem .75rem; font: inherit; border-radius: .4rem }
input { margin: .25rem 0 1rem; border: 1px solid var(--line); background: var(--paper); color: inherit }
button { border: 0; background: var(--act); color: var(--card); font-weight: 600; cursor: pointer }
:focus-visible { outline: 3px solid var(--act); outline-offset: 2px }
a { color: var(--act) }
code { overflow-wrap: anywhere }
.bad { color: var(--bad) }
`;

/** Goes with every page of this file. The browser must name its origin when the form is sent, so it may refer to us. */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': policyForStyle(`sha256-${createHash('sha256').update(STYLE).digest('base64')}`),
  'referrer-policy': 'same-origin',
} as const;

function page(title: string, body: string, head = ''): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>${head}<style>${STYLE}</style></head>
<body><main>${body}</main></body></html>
`;
}

const escaped = (text: string) => text.replace(/[&<>"']/g, (char) => `&#${char.codePointAt(0)};`);

/** `problem`: why the last try failed, as a sentence. */
export function signInPage(hasPassword: boolean, problem?: string): string {
  const said = problem ? `<p class="bad" role="alert">${escaped(problem)}</p>` : '';
  const form = `<form method="post" action="/sign-in">
<input type="text" name="username" value="holdfast" autocomplete="username" hidden>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required autofocus>
<button>Sign in</button></form>`;
  const hint = `<p>Open the address that <code>holdfast serve</code> printed when it started. It signs you in once;
start it again for a new one.</p>`;
  return page('Sign in to Holdfast', `<h1>Holdfast</h1>${said}${hasPassword ? form : hint}`);
}

/** Says no. */
export function problemPage(sentence: string): string {
  return page(
    'Holdfast',
    `<h1>Holdfast</h1><p>${escaped(sentence)}</p><p><a href="/">Go to the start</a></p>`,
  );
}

/** Loads the start page once more: a browser that was sent here by another site kept its cookie back. */
export function onwardPage(): string {
  const head = '<meta http-equiv="refresh" content="0; url=/">';
  return page('Holdfast', '<h1>Holdfast</h1><p><a href="/">Go on</a></p>', head);
}
