/** The project's own rules, read off its own sources. A rule of taste is an example in CONTRIBUTING.md; these are the others. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

type Source = {
  readonly path: string;
  readonly text: string;
  /** The project's own files that it imports, as paths from the root. */
  readonly imports: readonly string[];
  /** Those of which it uses more than types. */
  readonly uses: readonly string[];
};

const sources: readonly Source[] = ['src', 'workers'].flatMap(readSources).filter(({ path }) => !path.startsWith('src/web/'));

/** Every import from one room into another, the composition roots aside. */
const crossings = sources
  .filter(({ path }) => !['src/app.ts', 'src/open-storage.ts', 'src/main.ts'].includes(path) && !path.startsWith('workers/'))
  .flatMap(({ path, imports }) => imports.map((imported) => ({ from: path, imported })))
  .filter(({ from, imported }) => imported.split('/').length > 2 && partOf(imported) !== partOf(from))
  .map(({ from, imported }) => ({
    from,
    room: partOf(imported),
    name: imported.replace(/^src\/[^/]+\//, '').replace(/\.ts$/, ''),
  }));

/** What a folder may import besides itself. Whoever is not listed here has not been thought about. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  trouble: ['errors'],
  redaction: [],
  'edit-distance': [],
  'misspelt-settings': ['config', 'edit-distance'],
  'start-error': ['config', 'errors', 'trouble'],
  'start-checks': ['config', 'errors'],
  logger: ['redaction'],
  records: [],
  'program-files': [],
  tasks: ['errors'],
  documents: ['tasks', 'errors'],
  parse: ['errors'],
  chunk: ['parse', 'errors'],
  embed: ['chunk', 'errors'],
  search: ['chunk', 'documents', 'embed', 'records', 'program-files', 'tasks', 'errors', 'trouble', 'logger'],
  storage: ['documents', 'embed', 'records', 'search', 'tasks', 'errors', 'trouble', 'logger'],
  ingest: ['chunk', 'documents', 'embed', 'records', 'storage', 'errors', 'trouble', 'logger', 'parse', 'search', 'tasks'],
  http: ['documents', 'edit-distance', 'storage', 'errors', 'trouble', 'logger', 'parse/containers/zip-names', 'search', 'tasks'],
  webhooks: ['documents', 'http', 'storage', 'tasks', 'errors', 'logger'],
  client: ['http'],
  mcp: ['documents', 'http', 'search', 'tasks', 'errors', 'logger'],
};

/** The composition roots and what only they may name. */
const roots = [
  'src/app.ts',
  'src/check-config.ts',
  'src/open-storage.ts',
  'src/main.ts',
  'src/process.ts',
  'workers/ingest.ts',
  'workers/index.ts',
];
const adapters = [
  /storage\/(file|postgres|redis)\//,
  /search\/sqlite\/(threaded|sqlite)-index/,
  /embed\/.+-embedder/,
  /http\/http-server/,
];

/**
 * The doors of each room: the files that other rooms may import, the composition roots aside. All else in a room is its own
 * affair and may be moved, renamed or taken apart by whoever works in it. A new door is a decision: add the line knowingly.
 */
const doors: Readonly<Record<string, readonly string[]>> = {
  tasks: ['task', 'given', 'task-store', 'task-queue', 'ordered-page', 'progress', 'turns'],
  documents: ['collection', 'document-part', 'document-name', 'doc-id', 'plain-file'],
  parse: ['parser', 'document-parser', 'read-document', 'limits', 'reading', 'cpu-time', 'images/ocr', 'containers/zip-names'],
  chunk: ['chunk'],
  embed: ['embedder', 'create-embedder', 'model-service', 'passage'],
  search: [
    'document-index',
    'filters',
    'said',
    'bounds',
    'stop',
    'following/following-answers',
    'following/following-searcher',
    'index/postings',
    'index/staging',
    'soundness',
    'turns',
    'models/answer',
    'models/reranker',
  ],
  storage: [
    'engine',
    'file-store',
    'damage-log',
    'database-url',
    'delivery',
    'delivery-log',
    'ended-sessions',
    'idempotency-store',
    'objects/files-url',
    'quota-counts',
  ],
  ingest: ['checkup', 'rereading'],
  http: [
    'access/access',
    'access/asked-collection',
    'access/api-keys',
    'access/key-file',
    'access/client-address',
    'access/origin-guard',
    'access/quotas',
    'access/users',
    'access/scope',
    'access/slots',
    'http-settings',
    'live/audit-log',
    'log-text',
    'routes/route',
    'services',
    'upload/body-watch',
    'upload/bytes-upload',
    'upload/content-disposition',
    'wire/given',
    'wire/input',
    'wire/json-body',
    'wire/schemas',
    'wire/wire',
  ],
  webhooks: ['signature', 'targets'],
  mcp: [],
  client: [],
};

/** Who may use more of a room than its doors, and why. */
const sideDoors: readonly { readonly who: RegExp; readonly room: string; readonly what: RegExp }[] = [
  // Both indexes keep the same segments and rank by the same arithmetic; PostgreSQL's lies with its engine.
  {
    who: /^src\/storage\/postgres\/index\//,
    room: 'search',
    what: /^(analysis|index|models|ranking|translation)\/|^(stop|list-cursor)$/,
  },
  // The file engine's delivery log and the backup open SQLite files as the index does.
  { who: /^src\/storage\/file\//, room: 'search', what: /^sqlite\/(database|corruption)$/ },
  // Commands for a stopped server work on its files, its tables or its Redis without a server between.
  {
    who: /^src\/cli\//,
    room: 'storage',
    what: /^(file\/(backup|backup-format|restore)|postgres\/(database|schema)|redis\/connection)$/,
  },
  { who: /^src\/cli\//, room: 'search', what: /^sqlite\/threaded-index$/ },
];

describe('the sources', () => {
  it('enter another room by its doors only', () => {
    const wrong = crossings
      .filter(({ from, room, name }) => !doors[room]?.includes(name) && !isSideDoor(from, room, name))
      .map(({ from, room, name }) => `${from} imports ${room}/${name}, which is no door of ${room}: use one, or add it to doors`);

    expect(wrong).toEqual([]);
  });

  it('have no door that nobody uses', () => {
    const unused = Object.entries(doors).flatMap(([room, names]) =>
      names
        .filter((name) => !crossings.some((crossing) => crossing.room === room && crossing.name === name))
        .map((name) => `${room}/${name} is used by no other room: take it out of doors`),
    );

    expect(unused).toEqual([]);
  });

  it('keep storage below http, mcp and webhooks', () => {
    const upwards = sources
      .filter(({ path }) => path.startsWith('src/storage/'))
      .flatMap(({ path, imports }) =>
        imports
          .filter((imported) => /^src\/(http|mcp|webhooks|ingest|cli)\//.test(imported))
          .map((imported) => `${path} imports ${imported}`),
      );

    expect(upwards).toEqual([]);
  });

  it('import one way: from later in the flow to earlier', () => {
    const wrong = sources.flatMap(({ path, imports }) => {
      const folder = partOf(path);
      const allowed = mayImport[folder];
      if (roots.includes(path) || folder === 'config' || folder === 'cli') return [];
      if (allowed === undefined) return [`${path}: ${folder} has no line in mayImport`];
      return imports
        .filter(
          (imported) =>
            partOf(imported) !== folder && !allowed.some((name) => partOf(imported) === name || imported.startsWith(`src/${name}`)),
        )
        .map((imported) => `${path} imports ${imported}`);
    });

    expect(wrong).toEqual([]);
  });

  it('have no cycle, types included', () => {
    const graph = new Map(sources.map(({ path, imports }) => [path, imports]));

    expect(findCycle(graph)).toBeNull();
  });

  it('have no cycle between folders either', () => {
    const graph = new Map<string, string[]>();
    for (const { path, imports } of sources) {
      const from = partOf(path);
      graph.set(from, [...(graph.get(from) ?? []), ...imports.map(partOf).filter((to) => to !== from)]);
    }

    expect(findCycle(graph)).toBeNull();
  });

  it('name an adapter only in the composition roots and beside the adapter itself', () => {
    const wrong = sources.flatMap(({ path, uses }) =>
      roots.includes(path) || path.startsWith('src/cli/')
        ? []
        : uses
            .filter((imported) => adapters.some((adapter) => adapter.test(imported)) && !isBeside(path, imported))
            .map((imported) => `${path} imports ${imported}`),
    );

    expect(wrong).toEqual([]);
  });

  it('read the environment, the wall clock, random numbers and the console only where that is their task', () => {
    const rules: readonly [pattern: RegExp, where: RegExp][] = [
      [/process\.env\b/, /^src\/(main|cli\/.*)\.ts$/],
      [/Date\.now\(\)|new Date\(\)/, /^src\/(app|cli\/.*)\.ts$/],
      [/Math\.random\(\)/, /^$/],
      [/\bconsole\.\w+\(/, /^src\/(main|cli\/.*)\.ts$/],
    ];
    const wrong = sources.flatMap(({ path, text }) =>
      rules
        .filter(([pattern, where]) => pattern.test(withoutComments(text)) && !where.test(path))
        .map(([pattern]) => `${path}: ${pattern}`),
    );

    expect(wrong).toEqual([]);
  });

  it('begin with a comment that says what the file owns', () => {
    const silent = sources.filter(({ text }) => !/^(#!.*\n)?\/\*\*/.test(text)).map(({ path }) => path);

    expect(silent).toEqual([]);
  });

  it('hold nothing unfinished', () => {
    const unfinished = sources.filter(({ text }) => /TODO|FIXME|XXX|not implemented/i.test(text)).map(({ path }) => path);

    expect(unfinished).toEqual([]);
  });

  it('are not called utils, helpers, common or types', () => {
    const vague = sources
      .filter(({ path }) => /(^|\/)(utils?|helpers?|common|types|misc)(\/|\.ts$)/.test(path))
      .map(({ path }) => path);

    expect(vague).toEqual([]);
  });
});

describe('the documents', () => {
  const documents = ['', 'docs', 'docs/decisions', 'src/parse'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  );

  it('name only files that exist', () => {
    const missing = documents.flatMap((path) => {
      const text = readFileSync(join(root, path), 'utf8');
      const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map((match) => join(dirname(path), match[1]!));
      // Not of what was: the log of changes and the decisions speak of their day.
      const isOfToday = !/CHANGELOG|decisions\//.test(path);
      const named = isOfToday
        ? [...text.matchAll(/`((?:src|workers|test|scripts)\/[\w./-]+\.(?:ts|tsx|sh|js))`/g)].map((match) => match[1]!)
        : [];
      return [...links, ...named].filter((name) => !existsSync(join(root, name))).map((name) => `${path} names ${name}`);
    });

    expect(missing).toEqual([]);
  });
});

describe('the tests', () => {
  const tests = readSources('test').filter(({ path }) => path.endsWith('.test.ts'));

  it('are all run: none is skipped, focused or unwritten', () => {
    const idle = tests
      .filter(({ text }) => /\b(it|test|describe)\.(skip|only|todo)\b/.test(text) && !text.includes('are all run'))
      .map(({ path }) => path);

    expect(idle).toEqual([]);
  });
});

function readSources(folder: string): Source[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !name.includes('node_modules'))
    .map((name) => {
      const path = `${folder}/${name}`;
      const text = readFileSync(join(root, path), 'utf8');
      return { path, text, imports: importsOf(path, text), uses: importsOf(path, text.replaceAll(/^import type .*$/gm, '')) };
    });
}

function importsOf(path: string, text: string): string[] {
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) => match[1]!);
  return specifiers.map((specifier) => relative('.', normalize(join(dirname(path), specifier))));
}

/** The folder below src, or the file's own name for those that lie in src itself. */
function partOf(path: string): string {
  const [, first = ''] = path.split('/');
  return first.replace(/\.ts$/, '');
}

/** In the same folder, or in the same adapter's folders. */
function isBeside(path: string, imported: string): boolean {
  const adapter = /^src\/storage\/(file|postgres|redis)\//;
  return dirname(imported) === dirname(path) || (adapter.exec(path) ?? [''])[0] === adapter.exec(imported)?.[0];
}

function isSideDoor(from: string, room: string, name: string): boolean {
  return sideDoors.some((door) => door.who.test(from) && door.room === room && door.what.test(name));
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
}

/** One cycle, as a readable path; null when there is none. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>): string | null {
  const done = new Set<string>();
  const onPath: string[] = [];
  function visit(node: string): string | null {
    if (onPath.includes(node)) return [...onPath.slice(onPath.indexOf(node)), node].join(' -> ');
    if (done.has(node)) return null;
    onPath.push(node);
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next);
      if (cycle !== null) return cycle;
    }
    onPath.pop();
    done.add(node);
    return null;
  }
  for (const node of graph.keys()) {
    const cycle = visit(node);
    if (cycle !== null) return cycle;
  }
  return null;
}
