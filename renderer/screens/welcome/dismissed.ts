/**
 * Whether the person has put the welcome off. It is of this window, not of the host: somebody else who opens Holdfast for the first
 * time is to be welcomed too.
 */
const KEY = 'holdfast.welcome';

/** Where nothing can be kept, for this visit. */
let here = false;

export function isWelcomeDismissed(): boolean {
  try {
    return here || localStorage.getItem(KEY) !== null;
  } catch {
    return here;
  }
}

export function dismissWelcome(): void {
  here = true;
  try {
    localStorage.setItem(KEY, 'later');
  } catch {
    // Storage is switched off: it holds until the page is closed.
  }
}
