/** Opens the page of the server at an address and searches there, for `installs.sh`: `node open-page.ts URL TEXT`. */
import { launchBrowser, openPage } from './support/browser.ts';

const [url, text] = process.argv.slice(2) as [string, string];
const browser = await launchBrowser();
try {
  const { page, incidents } = await openPage(browser, `${url}/#/search?q=pump`);
  await page.getByText(text).first().waitFor();
  console.log(incidents.length === 0 ? 'page: opened in a browser, and it shows the document' : incidents.join('\n'));
  process.exitCode = incidents.length === 0 ? 0 : 1;
} finally {
  await browser.close();
}
