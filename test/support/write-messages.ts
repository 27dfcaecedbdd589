/**
 * `npm run docs`: writes `docs/messages.md`, the sentences that people read. `node test/support/write-messages.ts --alike` prints
 * those that have most of their words in common instead, for somebody who wants one wording for one thing.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { RequestErrorCode } from '../../src/errors.ts';
import { inChinese, sentenceInChinese } from '../../src/http/wire/chinese.ts';
import { sentences, type Kind, type Sentence } from './sentences.ts';

type Section = { readonly kind: Kind; readonly title: string; readonly about: string };

const sections: readonly Section[] = [
  {
    kind: 'refusal',
    title: 'Requests',
    about: 'The `detail` of a problem document and its `code`; in Chinese for `Accept-Language: zh`.',
  },
  { kind: 'title', title: 'Titles of problems', about: 'The `title` of a problem document and its `code`.' },
  { kind: 'value', title: 'Values', about: 'What is said of one parameter or member, behind its name; and messages of answers.' },
  { kind: 'notice', title: 'Notices of searches', about: 'The `notice` beside the hits.' },
  {
    kind: 'document',
    title: 'Documents',
    about:
      'The `error` of a failed task with its `error_code`, and warnings of a document that was read; in Chinese in a problem document, as above.',
  },
  { kind: 'start', title: 'Starting', about: 'Why a server, a worker or a command does not start, and what a setting must be.' },
  { kind: 'log', title: 'Log', about: 'Lines of level `warn` and `error`.' },
  { kind: 'cause', title: 'Causes', about: 'The `err` or `reason` of such a line, and the reason of a failed `GET /ready`.' },
  { kind: 'command', title: 'Commands', about: 'What `rag-intake` prints.' },
  { kind: 'doctor', title: 'rag-intake doctor', about: 'What it finds.' },
  { kind: 'help', title: 'Help of the commands', about: '`rag-intake --help`.' },
  { kind: 'metric', title: 'Metrics', about: 'The help of `GET /metrics`.' },
  { kind: 'api', title: 'API description', about: 'Summaries and descriptions of `GET /openapi.json`.' },
  { kind: 'tool', title: 'MCP', about: 'Titles and descriptions of tools, resources and their arguments.' },
];

const intro = [
  '# Messages',
  '',
  'Every sentence that the server and the command say, for anyone who looks for one that they saw. `{…}` differs from one time to the next.',
  'Settings: [settings.md](settings.md). The page: `src/web/en.ts` and `src/web/zh.ts`.',
  '',
  '<!-- written by `npm run docs` from src -->',
];

/** One row for a sentence, wherever and with whatever codes it is said. */
type Row = { readonly text: string; readonly codes: readonly string[]; readonly files: readonly string[] };

/** The document as it should be, beside what it is. */
export function messagesDocument(said: readonly Sentence[]): { is: string; shouldBe: string } {
  const body = sections.map(({ kind, title, about }) => sectionText(rowsOf(said, kind), kind, title, about));
  return { is: readIfThere(), shouldBe: `${[...intro, ...body].join('\n')}\n` };
}

/** Pairs of one kind that have at least this share of their words in common, without being the same. */
function alike(said: readonly Sentence[], share: number): [string, string][] {
  return sections.flatMap(({ kind }) => {
    const all = rowsOf(said, kind).map(({ text }) => ({ text, words: contentWords(text) }));
    return all.flatMap((one, index) =>
      all
        .slice(index + 1)
        .flatMap((other): [string, string][] => (shared(one.words, other.words) >= share ? [[one.text, other.text]] : [])),
    );
  });
}

/** Different wordings of one kind with the same words, three or more, in the same order, but for small ones. */
export function saidTwice(said: readonly Sentence[]): string[][] {
  return sections.flatMap(({ kind }) => {
    const rows = unique(rowsOf(said, kind).map(({ text }) => text.replace(/(?:[:\s]*\{…\})+$/, '')));
    return [...Map.groupBy(rows, (text) => [...contentWords(text)].join(' ')).entries()].flatMap(([words, texts]) =>
      words.split(' ').length > 2 && texts.length > 1 ? [texts] : [],
    );
  });
}

function rowsOf(said: readonly Sentence[], kind: Kind): Row[] {
  const byText = Map.groupBy(
    said.filter((sentence) => sentence.kind === kind),
    ({ text }) => text,
  );
  return [...byText].map(([text, all]) => ({
    text,
    codes: unique(all.map(({ code }) => code)),
    files: unique(all.map(({ file }) => file)),
  }));
}

function sectionText(rows: readonly Row[], kind: Kind, title: string, about: string): string {
  const isChinese = hasCodes(kind) || kind === 'value';
  const head = ['Sentence', ...(hasCodes(kind) ? ['Code'] : []), ...(isChinese ? ['中文'] : []), 'Said in'];
  const lines = rows.map((row) => {
    const codes = hasCodes(kind) ? [row.codes.map((code) => `\`${code}\``).join(', ')] : [];
    const chinese = isChinese ? [chineseOf(row, kind)] : [];
    return `| ${[row.text, ...codes, ...chinese, row.files.join(', ')].map(cell).join(' | ')} |`;
  });
  return ['', `## ${title}`, '', about, '', `| ${head.join(' | ')} |`, `|${'---|'.repeat(head.length)}`, ...lines].join('\n');
}

function hasCodes(kind: Kind): boolean {
  return kind === 'refusal' || kind === 'title' || kind === 'document';
}

function chineseOf({ text, codes }: Row, kind: Kind): string {
  if (kind !== 'title') return sentenceInChinese(text) ?? '';
  const problem = {
    type: '',
    title: text,
    status: 0,
    detail: '',
    instance: '',
    request_id: '',
    code: codes[0] as RequestErrorCode,
  };
  return inChinese(problem).title;
}

function cell(text: string): string {
  return text
    .replaceAll(/[|*]/g, String.raw`\$&`)
    .replaceAll('<', '&lt;')
    .replaceAll(/\s*\n\s*/g, ' ');
}

/** Words that say as much left out as there. */
const smallWords = new Set(
  'a an the of in on at to for by is are was were be it its this that there and or as with here'.split(' '),
);

function contentWords(text: string): Set<string> {
  return new Set((text.toLowerCase().match(/[\p{L}\p{N}_-]+/gu) ?? []).filter((word) => !smallWords.has(word)));
}

function shared(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  const common = [...one].filter((word) => other.has(word)).length;
  return common === 0 ? 0 : common / (one.size + other.size - common);
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)].filter((text) => text !== '');
}

function readIfThere(): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

const path = fileURLToPath(new URL('../../docs/messages.md', import.meta.url));

if (import.meta.main) {
  if (process.argv.includes('--alike')) for (const [one, other] of alike(sentences(), 0.6)) console.log(`${one}\n${other}\n`);
  else writeFileSync(path, messagesDocument(sentences()).shouldBe);
}
