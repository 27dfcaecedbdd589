/** Files that repeat a small unit of their format, any number of times: what makes a parser slow shows in how its cost grows with them. */
import { generator, type Random } from '../mutation.ts';
import { grammars, type Grammar } from './grammars.ts';

/** A stretch of one part: `body` is repeated. */
type Stretch = { readonly part: string; readonly head: string; readonly body: string; readonly tail: string };

export type GrowthUnit = {
  /** What is repeated, to be read by people. */
  readonly name: string;
  readonly filename: string;
  /** A file in which about so many bytes are the unit. */
  make(bytes: number): Uint8Array;
};

/** Characters, and pairs of them, of which a long run may be what a pattern was not thought for. */
export const longRuns: readonly string[] = [
  ' ', '\n', '\t', '\r\n', ' \n', '\r', '\f', '\u00a0', '\u200b', '\u3000', '\u2028', 'a', 'A', '1', '0', '#', '.', ',', ';', ':', '-', '_', '=', '+', '*', '~', '`', '"', "'",
  '\\', '/', '|', '(', ')', '[', ']', '{', '}', '&lt;', '&gt;', '&amp;', '%', '%1', '@', '$', '^', '!', '?', 'é', '漢', '한', 'ก', '😀', '\u0301', '\u0301\u0316', '\u00ad', '…', '。', 'a ', 'A ', '1 ',
  'a\n', '. ', '." ', 'a_', 'a-', 'aB', 'a.', 'a@', "a'", '1,', '1.', 'a/', 'a=', 'a;', 'a:', '- ', '> ', '| ', '.\u200b', '" ', '[]', '()', '{}', '\\n', '\\"', '=20', '=?', 'y', 'm', 'h:', '?/',
]; // prettier-ignore

/**
 * `count` units of a format: what was slow once, then in turn each of its tokens or a run of characters at one of its places, and
 * pairs, nestings, declarations with their uses, by chance. Another seed gives others.
 */
export function growthUnits(format: string, count: number, seed = 1): readonly GrowthUnit[] {
  const grammar = grammars[format]!;
  const random = generator(seed);
  const found = new Map<string, GrowthUnit>();
  const add = (stretches: readonly Stretch[]): void => {
    const unit = unitOf(grammar, stretches);
    if (found.size < count) found.set(unit.name, unit);
  };
  for (const stretches of grammar.once ?? []) add(stretches.map(([part, head, body, tail]) => ({ part, head, body, tail })));
  const known = shuffled([...systematic(grammar)], random);
  for (let tries = 0; found.size < count && tries < 100 * count; tries++) {
    add(known.pop() ?? byChance(grammar, random));
    add(byChance(grammar, random));
  }
  return [...found.values()];
}

function* systematic(grammar: Grammar): Generator<readonly Stretch[]> {
  for (const { part, token } of tokensOf(grammar)) {
    yield [repeated(part, token)];
    if (token.includes('¤')) for (const run of longRuns) yield [filled(part, token, run)];
  }
}

function byChance(grammar: Grammar, random: Random): readonly Stretch[] {
  // Every other unit is of tokens that close what they open, so that what stands after them is read as what it is.
  const isClosed = random(2) === 0;
  const tokens = tokensOf(grammar).map(({ part, token }) => ({ part, token: isClosed ? token + closersOf(token) : token }));
  const main = tokens.filter(({ part }) => part === tokens[0]!.part);
  const anywhere = (): { part: string; token: string } => tokens[random(tokens.length)]!;
  const one = random(3) === 0 ? anywhere() : main[random(main.length)]!;
  const other = main[random(main.length)]!;
  const elsewhere = anywhere();
  const run = longRuns[random(longRuns.length)]!;
  const holed = tokens.filter(({ token }) => token.includes('¤'));
  const hole = holed[random(holed.length)];
  switch (random(7)) {
    case 0:
      return [repeated(one.part, one.token + other.token)];
    case 1:
      return [repeated(one.part, one.token), repeated(other.part, other.token)];
    case 2:
      return [repeated(elsewhere.part, elsewhere.token), repeated(one.part, one.token)];
    case 3:
      return [repeated(one.part, one.token), repeated(elsewhere.part, elsewhere.token), repeated(other.part, other.token)];
    case 4:
      return hole === undefined
        ? [repeated(one.part, one.token + run)]
        : [filled(hole.part, hole.token, run), repeated(one.part, one.token)];
    case 5: {
      const inside = samePart(tokens, elsewhere.part, random);
      return [around(elsewhere.part, elsewhere.token, inside), repeated(one.part, one.token)];
    }
    default: {
      const third = main[random(main.length)]!;
      return [repeated(one.part, one.token + other.token + third.token)];
    }
  }
}

/** `token` once, without the tags that close it, then `inside` many times, then those tags. */
function around(part: string, token: string, inside: string): Stretch {
  const cut = token.search(/(?:<\/[\w:.-]+>)+$/);
  const head = cut === -1 ? token : token.slice(0, cut);
  return { part, head: plain(head), body: plain(inside), tail: closersOf(head) };
}

/** The tags that close what a token opens. */
function closersOf(token: string): string {
  const open: string[] = [];
  for (const [, slash, name, empty] of token.matchAll(/<(\/?)([a-z][\w:.-]*)(?:\s[^<>]*?)?(\/?)>/gi)) {
    if (slash === '/') open.splice(Math.max(0, open.lastIndexOf(name!)));
    else if (empty === '') open.push(name!);
  }
  return open
    .toReversed()
    .map((name) => `</${name}>`)
    .join('');
}

function samePart(tokens: readonly { part: string; token: string }[], part: string, random: Random): string {
  const same = tokens.filter((each) => each.part === part);
  return same[random(same.length)]!.token;
}

function tokensOf(grammar: Grammar): { part: string; token: string }[] {
  return Object.entries(grammar.parts).flatMap(([part, tokens]) => tokens.map((token) => ({ part, token })));
}

function repeated(part: string, token: string): Stretch {
  return { part, head: '', body: plain(token), tail: '' };
}

/** The token once, with a long run at its place. */
function filled(part: string, token: string, run: string): Stretch {
  const at = token.indexOf('¤');
  return { part, head: plain(token.slice(0, at)), body: run, tail: plain(token.slice(at + 1)) };
}

function plain(token: string): string {
  return token.replaceAll('¤', 'a').replaceAll('⏎', '\n').replaceAll('⏍', '\r');
}

function unitOf(grammar: Grammar, stretches: readonly Stretch[]): GrowthUnit {
  const name = stretches
    .map(({ part, head, body, tail }) => `${part}: ${JSON.stringify(head)} ${JSON.stringify(body)}× ${JSON.stringify(tail)}`)
    .join(' | ');
  return {
    name,
    filename: grammar.filename,
    make(bytes) {
      const share = Math.ceil(bytes / stretches.length);
      const texts = new Map<string, string>();
      for (const stretch of stretches) texts.set(stretch.part, (texts.get(stretch.part) ?? '') + textOf(stretch, share));
      return grammar.make((part) => texts.get(part) ?? '');
    },
  };
}

function textOf({ head, body, tail }: Stretch, bytes: number): string {
  const times = Math.max(1, Math.floor(bytes / Buffer.byteLength(body)));
  const numbered = head.includes('№') || body.includes('№') || tail.includes('№');
  if (!numbered) return head + body.repeat(times) + tail;
  const pieces = [head.replaceAll('№', '0')];
  for (let at = 0, length = 0; length < bytes; at++) {
    const piece = body.replaceAll('№', String(at));
    length += piece.length;
    pieces.push(piece);
  }
  pieces.push(tail.replaceAll('№', '0'));
  return pieces.join('');
}

function shuffled<T>(all: readonly T[], random: Random): T[] {
  const result = [...all];
  for (let at = result.length - 1; at > 0; at--) {
    const other = random(at + 1);
    [result[at], result[other]] = [result[other]!, result[at]!];
  }
  return result;
}
