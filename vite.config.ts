/** Builds the page in src/web into dist/web: relative addresses, no inline script or style, pdf.js's data beside it. */
import { cp } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const root = fileURLToPath(new URL('src/web', import.meta.url));
const outDir = fileURLToPath(new URL('dist/web', import.meta.url));
const pdfjs = fileURLToPath(new URL('node_modules/pdfjs-dist', import.meta.url));

export default defineConfig({
  root,
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2023',
    cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
    // The page's policy allows no `data:` and no inline code.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
    rolldownOptions: {
      // Named .js so that every server knows the type; the content decides the name, so it can be cached for good.
      output: {
        assetFileNames: ({ names }) => (names[0]?.endsWith('.mjs') ? 'assets/[name]-[hash].js' : 'assets/[name]-[hash][extname]'),
      },
    },
  },
  plugins: [pdfjsData()],
});

/** What pdf.js fetches while it draws: character maps, the standard fonts, and decoders that need no WebAssembly. */
function pdfjsData(): Plugin {
  return {
    name: 'pdfjs-data',
    apply: 'build',
    async closeBundle() {
      for (const folder of ['cmaps', 'standard_fonts', 'wasm']) {
        await cp(`${pdfjs}/${folder}`, `${outDir}/assets/pdfjs-${folder}`, {
          recursive: true,
          filter: (path) => !/\.wasm$|quickjs/.test(path),
        });
      }
    },
  };
}
