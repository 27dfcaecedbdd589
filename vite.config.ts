/**
 * Builds the page in src/web into dist/web: relative addresses, no inline script or style, pdf.js's data beside it, Swagger UI's files
 * for `/docs`, and what is text also as Brotli and gzip, so that the server need not compress anything.
 */
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const root = fileURLToPath(new URL('src/web', import.meta.url));
const outDir = fileURLToPath(new URL('dist/web', import.meta.url));
const swaggerUi = fileURLToPath(new URL('node_modules/swagger-ui-dist', import.meta.url));
const slowBytes = 300_000;
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
  plugins: [
    afterBuild('pdfjs-data', copyPdfjsData),
    afterBuild('swagger-ui', copySwaggerUi),
    // While somebody works on the page it is built often, and asked for by one browser.
    afterBuild('compressed-copies', async (mode) => {
      if (mode === 'development') return;
      await Promise.all([outDir, join(outDir, 'assets')].map(compressFiles));
    }),
  ],
});

function afterBuild(name: string, run: (mode: string) => Promise<void>): Plugin {
  let mode = 'production';
  return {
    name,
    apply: 'build',
    configResolved: (config) => void ({ mode } = config),
    closeBundle: { sequential: true, handler: () => run(mode) },
  };
}

/** What pdf.js fetches while it draws: character maps, the standard fonts, and decoders that need no WebAssembly. */
async function copyPdfjsData(): Promise<void> {
  for (const folder of ['cmaps', 'standard_fonts', 'wasm']) {
    await cp(`${pdfjs}/${folder}`, `${outDir}/assets/pdfjs-${folder}`, {
      recursive: true,
      filter: (path) => !/\.wasm$|quickjs/.test(path),
    });
  }
}

/** The three files that `/docs` shows, and whose they are. */
async function copySwaggerUi(): Promise<void> {
  for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png', 'LICENSE', 'NOTICE'])
    await cp(`${swaggerUi}/${file}`, `${outDir}/docs/${file}`);
}

async function compressFiles(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => /\.(?:html|js|css|svg)$/.test(name));
  await Promise.all(names.map((name) => compressFile(join(folder, name))));
}

async function compressFile(path: string): Promise<void> {
  const bytes = await readFile(path);
  // The last step of quality takes as long as all others together; of pdf.js's worker that is 20 s for 4 % of its size.
  const quality = bytes.length > slowBytes ? 9 : constants.BROTLI_MAX_QUALITY;
  const params = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length, [constants.BROTLI_PARAM_QUALITY]: quality };
  await writeFile(`${path}.br`, await promisify(brotliCompress)(bytes, { params }));
  await writeFile(`${path}.gz`, await promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION }));
}
