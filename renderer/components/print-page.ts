/** Prints a page that the host made, without leaving this one. */

/**
 * The page goes into a frame that no script runs in. The content security policy holds in there too and refuses the page's own
 * `<style>`, so its rules are handed over as a style sheet object instead.
 */
export function printPage(html: string): void {
  const page = new DOMParser().parseFromString(html, 'text/html');
  const frame = document.createElement('iframe');
  frame.className = 'hf-print';
  frame.title = page.title;
  document.body.append(frame);
  const inside = frame.contentWindow;
  if (!inside) return frame.remove();
  const rules = [...page.querySelectorAll('style')].map((style) => style.textContent).join('\n');
  for (const one of page.querySelectorAll('style, script, link')) one.remove();
  inside.document.title = page.title;
  inside.document.body.replaceChildren(...page.body.childNodes);
  const sheet = new (inside as Window & typeof globalThis).CSSStyleSheet();
  sheet.replaceSync(rules);
  inside.document.adoptedStyleSheets = [sheet];
  inside.addEventListener('afterprint', () => frame.remove());
  inside.print();
}
