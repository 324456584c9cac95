import { launchBrowser } from '../../scripts/browser.ts';

/** Once before all test files: two that unpacked the browser at the same moment would each meet the other's half of it. */
export async function setup(): Promise<void> {
  const browser = await launchBrowser();
  await browser.close();
}
