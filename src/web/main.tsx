/** Starts the page. */
import { render } from 'preact';
import { App } from './app.tsx';
import { startLanguage } from './language.ts';
import './base.css';
import './views.css';

const host = document.getElementById('app');
if (host !== null) {
  await startLanguage();
  // What stood there for those whose scripts do not come.
  host.replaceChildren();
  render(<App />, host);
}
