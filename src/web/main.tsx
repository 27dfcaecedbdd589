/** Starts the page. */
import { render } from 'preact';
import { App } from './app.tsx';
import './base.css';
import './views.css';

const host = document.getElementById('app');
if (host !== null) render(<App />, host);
