/**
 * The sentences that people read, found in the sources by what stands around them: the second thing of a `new AppError`, a `summary`, all
 * words of `cli/`. `docs/messages.md` is made of them (`write-messages.ts`).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAst } from 'vite';

/** What differs from one time to the next is `{…}` in `text`. */
export type Sentence = { readonly kind: Kind; readonly text: string; readonly file: string; readonly code: string };

export type Kind = (typeof rules)[number]['kind'];

type Rule = {
  readonly kind: string;
  readonly files: RegExp;
  /** What is around the words, the nearest last; `new AppError#1`: the second argument of it. */
  readonly around: RegExp;
  /** Single words count too. */
  readonly words?: true;
};

/** The first one that fits tells the kind. */
const rules = [
  { kind: 'log', files: /./, around: /(?:logger|log)\.(?:warn|error|level|\?)#1$|brief\.write#\d$|oneAtATime#\d$/ },
  { kind: 'title', files: /^http\/wire\/problem/, around: /\.title$/, words: true },
  { kind: 'refusal', files: /^(?!cli\/)/, around: /new (?:AppError#1|SettingError#0)$/ },
  { kind: 'cause', files: /^storage\/objects\//, around: /(?:new StoreFault|super|lasting|passing)#0$|var (?:said|otherRegion)$/ },
  { kind: 'refusal', files: /^http\/connections/, around: /var sentences/ },
  { kind: 'tool', files: /^mcp\//, around: /\.(?:title|description)$|describe#0$|var instructions$/ },
  {
    kind: 'api',
    files: /^(?:http|webhooks|mcp)\//,
    around: /\.(?:summary|description)$|describe#0$|var tagDescriptions|escription$/,
  },
  { kind: 'metric', files: /^http\/live\/metrics/, around: /(?:counter|gauge|histogram)#1$/ },
  { kind: 'notice', files: /^(?:search|storage|http\/routes)\//, around: /var (?:sentences|rebuilding)|^fn search$/ },
  {
    kind: 'value',
    files: /^http\//,
    around: /wrong#\d$|malformed#\d$|\.message$|(?:refine|regex)#1$|fn whatItMustBe|var (?:kinds|formats)|fn bound/,
  },
  { kind: 'value', files: /^webhooks\/targets/, around: /refused#0$/ },
  {
    kind: 'document',
    files: /^(?:parse|embed|search)\//,
    around:
      /new DocumentError#1$|warnings\.push#0|\.warnings|var warnings|fn warningsOf|tooMuch#\d$|damage\.push#0|unreadKinds|Sentence$|SharesTooMuch$/i,
  },
  { kind: 'document', files: /^ingest\//, around: /new DocumentError#1$|\.message$|fn (?:late|stalled)/ },
  {
    kind: 'cause',
    files: /^storage\/(?!database-url|objects\/files-url)|^(?:search|ingest|webhooks\/webhook-s)/,
    around: /new Error#0$|notReady#\d$|\.(?:reason|cause)$/,
  },
  {
    kind: 'start',
    files: /^(?:config|start-|process|check-config|embed\/|http\/access|storage\/|webhooks\/)/,
    around:
      /(?:never|later|demand|refus\w+)#\d$|problems\.push#0|Problems$|pointless|KeyFileError#0|(?:ConfigError|new Error)#0$|var expected$|unusable#\d/,
  },
  { kind: 'doctor', files: /^cli\/(?:doctor|forecast|check-)/, around: /./ },
  { kind: 'help', files: /^cli\//, around: /\.(?:description|argument|option|requiredOption)#\d$|new Option#1$/, words: true },
  { kind: 'command', files: /^cli\//, around: /./ },
  { kind: 'command', files: /./, around: /new (?:BackupError|MoveError)#0$|fn (?:whatWasDone|changeSearcher)/ },
] as const satisfies readonly Rule[];

type Node = { readonly type: string; readonly [member: string]: unknown };

/** Words in the file, with what is around them and the code that is said with them. */
type Words = { readonly text: string; readonly around: readonly string[]; readonly code: string };

const sources = join(import.meta.dirname, '../../src');

/** All of them, file by file; one that is said in two places comes twice. */
export function sentences(): Sentence[] {
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !/^web\/|\.d\.ts$|^http\/wire\/(?:chinese|examples)/.test(name),
  );
  return files
    .toSorted()
    .flatMap((file) => wordsOf(readFileSync(join(sources, file), 'utf8')).flatMap((words) => asSentence(file, words)));
}

function asSentence(file: string, { text, around, code }: Words): Sentence[] {
  const chain = around.join(' > ');
  const rule = rules.find(({ files, around: pattern }) => files.test(file) && pattern.test(chain));
  const isSaid =
    rule !== undefined && ('words' in rule ? /[a-z]{3}/i : /[a-z]{2}\W{0,4} (?:[a-z(`"']|\{…\})|\{…\}\W{0,2} [a-z]{2}/i).test(text);
  return isSaid && !isFormat(text) ? [{ kind: rule.kind, text: text.trim(), file, code }] : [];
}

/** Flags of options, JSON, headers and the like. */
function isFormat(text: string): boolean {
  return /^(?:-|<|\[|\{"|Bearer|Content-|SELECT|INSERT|DELETE FROM|TRUNCATE|[a-z]+\/[a-z]+;)|^\S+ <\w+>$/.test(text);
}

/** Also of a constant that is passed on later: what it is passed to is around its words then. */
function wordsOf(source: string): Words[] {
  const found: Words[] = [];
  const passed = new Map<string, { around: string; code: string }>();
  const program = parseAst(source, { lang: 'ts' }) as unknown as Node;
  walk(program, [], '', (node, around, code) => {
    if (node.type === 'Identifier' && around.length > 0 && around.at(-1)!.startsWith('new '))
      passed.set(String(node['name']), { around: around.at(-1)!, code });
    const text = textOf(node);
    if (text !== null) found.push({ text, around, code: code || (titleOf.exec(around.join(' '))?.[1] ?? '') });
    return text === null;
  });
  return found.map((words) => {
    const to = passed.get(/^var (.*)/.exec(words.around.at(-1) ?? '')?.[1] ?? '');
    return to === undefined ? words : { ...words, around: [...words.around, to.around], code: to.code };
  });
}

/** The code that a title of a problem belongs to. */
const titleOf = /\.(\w+) \.title$/;

type Visit = (node: Node, around: readonly string[], code: string) => boolean;

/** `visit` says whether to go on into the node. */
function walk(node: Node, around: readonly string[], code: string, visit: Visit): void {
  if (node.type === 'ImportDeclaration' || (node.type.startsWith('TS') && !/^TS(?:As|NonNull|Satisfies)/.test(node.type))) return;
  if (!visit(node, around, code) && node.type !== 'TemplateLiteral') return;
  if (node.type === 'CallExpression' || node.type === 'NewExpression') return walkCall(node, around, code, visit);
  const within = named(node);
  const next = within === null ? around : [...around, within];
  for (const child of children(node)) walk(child, next, code, visit);
}

function walkCall(node: Node, around: readonly string[], code: string, visit: Visit): void {
  const callee = node['callee'] as Node;
  const name = `${node.type === 'NewExpression' ? 'new ' : ''}${nameOf(callee)}`;
  walk(callee, around, code, visit);
  const given = node['arguments'] as Node[];
  const first = given[0] === undefined ? null : textOf(given[0]);
  const own = /^new (?:App|Document)Error$/.test(name) ? (first ?? '') : name === 'new SettingError' ? 'unavailable' : code;
  given.forEach((argument, index) => walk(argument, [...around, `${name}#${index}`], own, visit));
}

function named(node: Node): string | null {
  if (node.type === 'Property' || node.type === 'PropertyDefinition') return `.${nameOf(node['key'] as Node)}`;
  if (node.type === 'VariableDeclarator') return `var ${nameOf(node['id'] as Node)}`;
  return node.type === 'FunctionDeclaration' ? `fn ${nameOf(node['id'] as Node)}` : null;
}

/** Of `versions.length` the property alone: the list is not what is said. */
function children(node: Node): Node[] {
  const isOfName = node.type === 'MemberExpression' && (node['object'] as Node).type === 'Identifier';
  return Object.values(isOfName ? [node['property']] : node)
    .flat()
    .filter((value): value is Node => typeof value === 'object' && value !== null && 'type' in value);
}

function nameOf(node: Node): string {
  if (node.type === 'Identifier') return String(node['name']);
  if (node.type === 'MemberExpression') return `${nameOf(node['object'] as Node)}.${nameOf(node['property'] as Node)}`;
  return { ThisExpression: 'this', Super: 'super' }[node.type] ?? '?';
}

const gap = '{…}';

/** Null for what is no text: strings, templates and sums of them are. */
function textOf(node: Node): string | null {
  if (node.type === 'Literal') return typeof node['value'] === 'string' ? node['value'] : null;
  if (node.type === 'TemplateLiteral')
    return (node['quasis'] as { value: { cooked: string } }[]).map(({ value }) => value.cooked).join(gap);
  if (node.type !== 'BinaryExpression' || node['operator'] !== '+') return null;
  const sides = [textOf(node['left'] as Node), textOf(node['right'] as Node)];
  return sides.every((side) => side === null) ? null : sides.map((side) => side ?? gap).join('');
}
