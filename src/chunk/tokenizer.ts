/**
 * The unit in which chunks are measured. It needs no vocabulary, so it is the same for every embedder and costs one pass:
 *
 * - each Chinese, Japanese or Korean character, and each character outside the basic plane (emoji, rare Han): 1
 * - a run of letters: 1 for every 8 begun (`search` 1, `internationalization` 3)
 * - a run of digits: 1 for every 3 begun
 * - any other sign: 1; a run of the same sign (`-----`): 1 for every 4 begun
 * - white space, control characters and characters without width: 0
 *
 * Against the word pieces of multilingual models this counts about as many for English and for Chinese; a model with a window
 * of 512 pieces has room for the default chunk.
 */

const lettersPerToken = 8;
const digitsPerToken = 3;
const sameSignsPerToken = 4;

const space = 0;
const letter = 1;
const digit = 2;
const sign = 3;
const ideograph = 4;

/** Tokens of `text.slice(start, end)`, without making it. Linear. */
export function countTokens(text: string, start = 0, end = text.length): number {
  let tokens = 0;
  for (let at = start; at < end;) {
    const next = tokenRunEnd(text, at, end);
    tokens += runTokens(text, at, next);
    at = next;
  }
  return tokens;
}

/** The greatest offset for which `countTokens(text, start, offset) <= tokensMax`, at most `end`; never between two surrogates. Linear. */
export function offsetAfterTokens(text: string, start: number, end: number, tokensMax: number): number {
  let tokens = 0;
  for (let at = start; at < end;) {
    // No further than the tokens reach: a run of ten million letters is looked at once, not once for each chunk of it.
    const next = tokenRunEnd(text, at, Math.min(end, at + (tokensMax - tokens + 1) * lettersPerToken));
    const count = runTokens(text, at, next);
    if (tokens + count > tokensMax) return at + unitsFor(text, at, next, tokensMax - tokens);
    tokens += count;
    at = next;
  }
  return end;
}

/** Whether this character counts nothing: white space, a control, or one without width. */
export function isBlank(unit: number): boolean {
  return kindOf(unit) === space;
}

/** Whether these two are the halves of one character. */
export function isSurrogatePair(first: number, second: number): boolean {
  return isHighSurrogate(first) && isLowSurrogate(second);
}

/** The end of the run that begins at `at`: characters that are counted together. */
function tokenRunEnd(text: string, at: number, end: number): number {
  const unit = text.charCodeAt(at);
  const kind = kindOf(unit);
  let next = at + 1;
  if (kind === ideograph) return next < end && isSurrogatePair(unit, text.charCodeAt(next)) ? next + 1 : next;
  if (kind === sign) while (next < end && text.charCodeAt(next) === unit) next++;
  else while (next < end && kindOf(text.charCodeAt(next)) === kind) next++;
  return next;
}

function runTokens(text: string, start: number, end: number): number {
  const kind = kindOf(text.charCodeAt(start));
  if (kind === space) return 0;
  return kind === ideograph ? 1 : Math.ceil((end - start) / unitsPerToken(kind));
}

function unitsFor(text: string, start: number, end: number, tokens: number): number {
  const kind = kindOf(text.charCodeAt(start));
  return kind === ideograph || kind === space ? 0 : Math.min(end - start, tokens * unitsPerToken(kind));
}

function unitsPerToken(kind: number): number {
  return kind === letter ? lettersPerToken : kind === digit ? digitsPerToken : sameSignsPerToken;
}

function kindOf(unit: number): number {
  return unit < 128 ? asciiKinds[unit]! : wideKind(unit);
}

const asciiKinds = Uint8Array.from({ length: 128 }, (_, unit) => {
  const character = String.fromCharCode(unit);
  if (unit <= 0x20 || unit === 0x7f) return space;
  if (/[A-Za-z]/.test(character)) return letter;
  return /\d/.test(character) ? digit : sign;
});

function wideKind(unit: number): number {
  if (unit >= 0x2e80 && unit <= 0x9fff)
    return unit === 0x3000 ? space : unit < 0x3005 || (unit > 0x3007 && unit < 0x3021) ? sign : ideograph;
  if (unit >= 0xac00 && unit <= 0xdfff) return ideograph;
  if (unit >= 0xf900 && unit <= 0xfaff) return ideograph;
  if (unit >= 0xff00 && unit <= 0xffef) return wideForm(unit);
  if (unit >= 0x2000 && unit <= 0x206f) return unit >= 0x2010 && !isBlankPunctuation(unit) ? sign : space;
  if (unit === 0xa0 || unit === 0xad || unit === 0x61c || unit === 0x1680 || unit === 0x180e || unit === 0xfeff) return space;
  if (unit >= 0x80 && unit <= 0x9f) return space;
  if (unit >= 0x2010 && unit <= 0x2bff) return sign;
  if (unit >= 0x80 && unit <= 0xbf) return unit === 0xaa || unit === 0xb5 || unit === 0xba ? letter : sign;
  return letter;
}

/** Of U+2010 to U+206F: line and paragraph separators, marks of direction, narrow spaces, invisible operators. */
function isBlankPunctuation(unit: number): boolean {
  return (unit >= 0x2028 && unit <= 0x202f) || unit >= 0x205f;
}

/** Full-width ASCII counts as its narrow twin does; half-width kana and Hangul as characters. */
function wideForm(unit: number): number {
  if (unit <= 0xff5e) return asciiKinds[unit - 0xfee0]!;
  return unit >= 0xff66 && unit <= 0xffdc ? ideograph : sign;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
