#!/usr/bin/env node
/**
 * The command, wherever it lies: in a clone Node runs the TypeScript as it is; in an installed package, where Node does not do that,
 * the JavaScript that was compiled of it. Plain JavaScript of long ago, so that an old Node can read what it says.
 */
import { existsSync } from 'node:fs';

const needed = 24;

if (Number.parseInt(process.versions.node, 10) < needed) {
  console.error(
    `rag-intake needs Node ${needed} or newer, and this is ${process.versions.node}. Install it; where npm has brought it along, ` +
      'as it does in a clone, "npx rag-intake" uses that one.',
  );
  process.exit(1);
}
const source = new URL('../src/cli/main.ts', import.meta.url);
void import(existsSync(source) ? source.href : new URL('../dist/program/src/cli/main.js', import.meta.url).href);
