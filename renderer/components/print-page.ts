/** Prints a page that the host made, without leaving this one. */

/**
 * The page goes into a frame that no script runs in. The content security policy holds in there too and refuses the page's own
 * `<style>`, so its rules are handed over as a style sheet object instead.
 */
export function printPage(html: string): void {
  // Before it is parsed: even a page that is never shown asks the policy about its styles.
  const rules: string[] = [];
  const plain = html.replace(/<style>([\s\S]*?)<\/style>/gi, (_, css: string) => {
    rules.push(css);
    return '';
  });
  const page = new DOMParser().parseFromString(plain, 'text/html');
  const frame = document.createElement('iframe');
  frame.className = 'hf-print';
  frame.title = page.title;
  document.body.append(frame);
  const inside = frame.contentWindow;
  if (!inside) return frame.remove();
  inside.document.title = page.title;
  inside.document.body.replaceChildren(...page.body.childNodes);
  const sheet = new (inside as Window & typeof globalThis).CSSStyleSheet();
  sheet.replaceSync(rules.join('\n'));
  inside.document.adoptedStyleSheets = [sheet];
  inside.addEventListener('afterprint', () => frame.remove());
  inside.print();
}
