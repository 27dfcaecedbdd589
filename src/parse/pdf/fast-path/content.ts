/**
 * Runs the content streams of a page as far as text, lines and pictures go (ISO 32000-1, 8 and 9): colours, clipping and shading
 * are passed over. Forms are run where they are drawn.
 */
import type { PlainFile } from './file.ts';
import type { FontGlyph, Fonts, PlainFont } from './fonts.ts';
import { identity, type Matrix, moved, multiply } from '../matrix.ts';
import { createBudget, createLexer, type Dict, type Lexer, Name, NotPlain, Stream, type Value, Word } from './objects.ts';
import { textString } from './pages.ts';
import { createPaths, type PaintedPath, type Paths } from './paths.ts';

/** What one operator shows. */
export type Shown = {
  readonly font: PlainFont;
  /** Of type, before `matrix`. */
  readonly size: number;
  /** From text space to user space, at the first glyph. */
  readonly matrix: Matrix;
  /** 2 is filled and stroked, 3 invisible. */
  readonly renderMode: number;
  readonly glyphs: readonly FontGlyph[];
  /** Where each glyph begins along the line, in text space from the first one's origin. */
  readonly xs: readonly number[];
  /** Of a glyph of width 1, in text space. */
  readonly widthScale: number;
  /** That was asked for between all glyphs, in text space. */
  readonly spacing: number;
};

export type Content = {
  readonly shown: readonly Shown[];
  readonly paths: readonly PaintedPath[];
  /** Where pictures are drawn: the unit square goes there. */
  readonly pictures: readonly Matrix[];
  readonly objectCount: number;
  /** Glyphs whose font does not say which character they are. */
  readonly unknownCount: number;
};

const formsMax = 12;
const statesMax = 256;
const operandsMax = 200;
/** In the arrays of one content stream. */
const valuesMax = 10_000_000;
/** On one page; the text of 20 full ones. */
const glyphsMax = 100_000;
const picturesMax = 100_000;
const endsTriedMax = 1000;
/** Pieces of drawings are glyphs of some fonts. Where more than these are unknown, letters may be. */
const unknownShareMax = 0.01;

/** @param checkTime called often; throws when the page's time is over. @throws NotPlain */
export function runContent(file: PlainFile, fonts: Fonts, bytes: Buffer, resources: Dict, checkTime: () => void): Content {
  const page: Page = {
    file,
    fonts,
    checkTime,
    shown: [],
    pictures: [],
    paths: createPaths(),
    objectCount: 0,
    glyphCount: 0,
    unknownCount: 0,
    operators: 0,
  };
  run(page, bytes, resources, initialState(), 0);
  const { shown, pictures, objectCount, glyphCount, unknownCount } = page;
  if (unknownCount > glyphCount * unknownShareMax) throw new NotPlain('too many glyphs of no known character');
  return { shown, paths: page.paths.painted, pictures, objectCount, unknownCount };
}

/** What all content of a page adds to. */
type Page = {
  readonly file: PlainFile;
  readonly fonts: Fonts;
  readonly checkTime: () => void;
  readonly shown: Shown[];
  readonly pictures: Matrix[];
  readonly paths: Paths;
  objectCount: number;
  glyphCount: number;
  unknownCount: number;
  operators: number;
};

/** The graphics state, as far as it matters here. */
type State = {
  matrix: Matrix;
  lineWidth: number;
  font: PlainFont | undefined;
  size: number;
  spacing: number;
  wordSpacing: number;
  /** Of the width, 1 is none. */
  stretch: number;
  leading: number;
  rise: number;
  renderMode: number;
};

/** One content stream while it runs. */
type Machine = {
  readonly page: Page;
  readonly content: Buffer;
  readonly lexer: Lexer;
  readonly resources: Dict;
  /** 0 is the page, more are forms. */
  readonly depth: number;
  /** By the names that the resources give them. */
  readonly fonts: Map<string, PlainFont>;
  /** Of the next operator, `operandCount` of them: a new array for each was a sixth of all that reading allocates. */
  readonly operands: Value[];
  operandCount: number;
  readonly saved: State[];
  /** The marked content that is open: the text that stands for it or for what it lies in, where there is one. */
  readonly marks: (Replacement | undefined)[];
  state: State;
  /** Text line matrix and text matrix. */
  line: Matrix;
  place: Matrix;
};

/** What is read instead of what is drawn: by its first glyph, the others then say nothing. */
type Replacement = { text: string; isGiven: boolean };

function run(page: Page, content: Buffer, resources: Dict, state: State, depth: number): void {
  if (depth > formsMax) throw new NotPlain('forms in forms');
  const lexer = createLexer(content, createBudget(valuesMax));
  const machine: Machine = {
    page,
    content,
    lexer,
    resources,
    depth,
    fonts: new Map(),
    operands: [],
    operandCount: 0,
    saved: [],
    marks: [],
    state,
    line: identity,
    place: identity,
  };
  for (let token = lexer.next(); token !== undefined; token = lexer.next()) {
    if (!(token instanceof Word)) {
      if (machine.operandCount >= operandsMax) throw new NotPlain('too many operands');
      machine.operands[machine.operandCount++] = token;
      continue;
    }
    if ((++page.operators & 1023) === 0) page.checkTime();
    operations.get(token.text)?.(machine);
    machine.operandCount = 0;
  }
}

function initialState(): State {
  return {
    matrix: identity,
    lineWidth: 1,
    font: undefined,
    size: 0,
    spacing: 0,
    wordSpacing: 0,
    stretch: 1,
    leading: 0,
    rise: 0,
    renderMode: 0,
  };
}

/** Null where there is none. */
function operandAt({ operands, operandCount }: Machine, index: number): Value {
  return index < operandCount ? operands[index]! : null;
}

function operandsFrom({ operands, operandCount }: Machine, first: number): readonly Value[] {
  return operands.slice(first, operandCount);
}

function numberAt(machine: Machine, index: number): number {
  const value = operandAt(machine, index);
  if (typeof value !== 'number') throw new NotPlain('an operand that is no number');
  return value;
}

function matrixAt(machine: Machine): Matrix {
  return [
    numberAt(machine, 0),
    numberAt(machine, 1),
    numberAt(machine, 2),
    numberAt(machine, 3),
    numberAt(machine, 4),
    numberAt(machine, 5),
  ];
}

function countObject(machine: Machine): void {
  if (machine.depth === 0) machine.page.objectCount++;
}

function resourceAt({ page, resources }: Machine, kind: string, name: Value | undefined): Value {
  const all = page.file.get(resources, kind);
  return name instanceof Name && all instanceof Map ? page.file.get(all, name.text) : null;
}

/** By operator; those that are not here do nothing for text, lines and pictures. */
const operations: ReadonlyMap<string, (machine: Machine) => void> = new Map<string, (machine: Machine) => void>([
  ['q', save],
  ['Q', (machine) => (machine.state = machine.saved.pop() ?? machine.state)],
  ['cm', (machine) => (machine.state.matrix = multiply(matrixAt(machine), machine.state.matrix))],
  ['w', (machine) => (machine.state.lineWidth = numberAt(machine, 0))],
  ['gs', refuseFontOfState],

  ['BT', (machine) => setLine(machine, identity)],
  ['Tf', setFont],
  ['Tc', (machine) => (machine.state.spacing = numberAt(machine, 0))],
  ['Tw', (machine) => (machine.state.wordSpacing = numberAt(machine, 0))],
  ['Tz', (machine) => (machine.state.stretch = numberAt(machine, 0) / 100)],
  ['TL', (machine) => (machine.state.leading = numberAt(machine, 0))],
  ['Tr', (machine) => (machine.state.renderMode = numberAt(machine, 0))],
  ['Ts', (machine) => (machine.state.rise = numberAt(machine, 0))],
  ['Td', (machine) => nextLine(machine, numberAt(machine, 0), numberAt(machine, 1))],
  [
    'TD',
    (machine) => {
      machine.state.leading = -numberAt(machine, 1);
      nextLine(machine, numberAt(machine, 0), numberAt(machine, 1));
    },
  ],
  ['Tm', (machine) => setLine(machine, matrixAt(machine))],
  ['T*', (machine) => nextLine(machine, 0, -machine.state.leading)],
  ['Tj', (machine) => show(machine, operandsFrom(machine, 0))],
  ['TJ', showSpaced],
  [
    "'",
    (machine) => {
      nextLine(machine, 0, -machine.state.leading);
      show(machine, operandsFrom(machine, 0));
    },
  ],
  [
    '"',
    (machine) => {
      machine.state.wordSpacing = numberAt(machine, 0);
      machine.state.spacing = numberAt(machine, 1);
      nextLine(machine, 0, -machine.state.leading);
      show(machine, operandsFrom(machine, 2));
    },
  ],

  ['BMC', (machine) => mark(machine, undefined)],
  ['BDC', (machine) => mark(machine, replacementOf(machine))],
  ['EMC', (machine) => void machine.marks.pop()],

  ['Do', draw],
  ['BI', drawInline],
  ['sh', countObject],

  ['m', (machine) => machine.page.paths.moveTo(machine.state.matrix, numberAt(machine, 0), numberAt(machine, 1))],
  ['l', (machine) => machine.page.paths.lineTo(machine.state.matrix, numberAt(machine, 0), numberAt(machine, 1))],
  ['c', (machine) => curve(machine, 6)],
  ['v', (machine) => curve(machine, 4)],
  ['y', (machine) => curve(machine, 4)],
  ['re', rectangle],
  ['h', (machine) => machine.page.paths.close()],
  ['n', (machine) => machine.page.paths.forget()],
  ['f', fill],
  ['F', fill],
  ['f*', fill],
  ['S', stroke],
  ['B', stroke],
  ['B*', stroke],
  ['s', closeAndStroke],
  ['b', closeAndStroke],
  ['b*', closeAndStroke],
]);

function save({ saved, state }: Machine): void {
  if (saved.length >= statesMax) throw new NotPlain('states in states');
  saved.push({ ...state });
}

function refuseFontOfState(machine: Machine): void {
  const dict = resourceAt(machine, 'ExtGState', operandAt(machine, 0));
  if (dict instanceof Map && dict.has('Font')) throw new NotPlain('a font of a graphics state');
}

/* Text. */

function setLine(machine: Machine, matrix: Matrix): void {
  machine.line = matrix;
  machine.place = matrix;
}

function nextLine(machine: Machine, x: number, y: number): void {
  setLine(machine, moved(machine.line, x, y));
}

function setFont(machine: Machine): void {
  const name = operandAt(machine, 0);
  if (!(name instanceof Name)) throw new NotPlain('a font without a name');
  let font = machine.fonts.get(name.text);
  if (font === undefined) machine.fonts.set(name.text, (font = fontNamed(machine, name.text)));
  machine.state.font = font;
  machine.state.size = numberAt(machine, 1);
}

function fontNamed({ page: { file, fonts }, resources }: Machine, name: string): PlainFont {
  const all = file.get(resources, 'Font');
  return fonts.fontOf(all instanceof Map ? (all as Dict).get(name) : undefined);
}

function showSpaced(machine: Machine): void {
  const items = operandAt(machine, 0);
  if (Array.isArray(items)) show(machine, items);
}

/** Strings are shown; numbers between them move back, in thousandths of the size of type. */
function show(machine: Machine, items: readonly Value[]): void {
  const { state, page, marks } = machine;
  const { font, size, stretch } = state;
  if (font === undefined) throw new NotPlain('text without a font');
  const glyphs: FontGlyph[] = [];
  const xs: number[] = [];
  const widthScale = size * stretch;
  const replacement = marks.at(-1);
  let x = 0;
  for (const item of items) {
    if (typeof item === 'number') {
      x -= (item / 1000) * widthScale;
      continue;
    }
    if (typeof item !== 'string') throw new NotPlain('text that is no string');
    for (let at = 0; at + font.codeBytes <= item.length; at += font.codeBytes) {
      const code = font.codeBytes === 1 ? item.charCodeAt(at) : item.charCodeAt(at) * 256 + item.charCodeAt(at + 1);
      const of = font.glyphOf(code);
      if (of.isUnknown) page.unknownCount++;
      glyphs.push(replacement === undefined ? of : replaced(of, replacement));
      xs.push(x);
      x += of.width * widthScale + (state.spacing + (code === 32 && font.codeBytes === 1 ? state.wordSpacing : 0)) * stretch;
    }
  }
  if (glyphs.length > 0) {
    page.glyphCount += glyphs.length;
    if (page.glyphCount > glyphsMax) throw new NotPlain('too much text');
    const place = state.rise === 0 ? machine.place : moved(machine.place, 0, state.rise);
    page.shown.push({
      font,
      size,
      matrix: multiply(place, state.matrix),
      renderMode: state.renderMode,
      glyphs,
      xs,
      widthScale,
      spacing: state.spacing * stretch,
    });
    countObject(machine);
  }
  machine.place = moved(machine.place, x, 0);
}

/* Marked content. */

/** However deep: PDFium, which would be asked otherwise, copies all marks for each one more (100 KB of them took 512 MB). */
function mark({ marks }: Machine, replacement: Replacement | undefined): void {
  marks.push(replacement ?? marks.at(-1));
}

function replacementOf(machine: Machine): Replacement | undefined {
  const properties = operandAt(machine, 1);
  const dict = properties instanceof Name ? resourceAt(machine, 'Properties', properties) : properties;
  const text = dict instanceof Map ? machine.page.file.get(dict, 'ActualText') : null;
  return text === null ? undefined : { text: textString(text), isGiven: false };
}

function replaced(of: FontGlyph, replacement: Replacement): FontGlyph {
  const text = replacement.isGiven ? '' : replacement.text;
  replacement.isGiven = true;
  return { unit: -1, text, isBlank: text !== '' && text.trim() === '', isUnknown: false, width: of.width };
}

/* Objects and pictures. */

function draw(machine: Machine): void {
  const { page, resources, state, depth } = machine;
  const object = resourceAt(machine, 'XObject', operandAt(machine, 0));
  if (!(object instanceof Stream)) return;
  const subtype = page.file.get(object.dict, 'Subtype');
  if (!(subtype instanceof Name)) throw new NotPlain('an object of no kind');
  if (subtype.text === 'Image') addPicture(machine);
  if (subtype.text !== 'Form') return;
  page.checkTime();
  countObject(machine);
  const matrix = page.file.get(object.dict, 'Matrix');
  const own = page.file.get(object.dict, 'Resources');
  const inside = Array.isArray(matrix) ? multiply(asMatrix(page.file, matrix), state.matrix) : state.matrix;
  run(page, page.file.bytesOf(object), own instanceof Map ? own : resources, { ...state, matrix: inside }, depth + 1);
}

function addPicture(machine: Machine): void {
  if (machine.page.pictures.push(machine.state.matrix) > picturesMax) throw new NotPlain('too many pictures');
  countObject(machine);
}

function asMatrix(file: PlainFile, values: readonly Value[]): Matrix {
  const numbers = values.map((each) => file.resolve(each));
  if (numbers.length !== 6 || numbers.some((each) => typeof each !== 'number')) throw new NotPlain('an odd matrix');
  return numbers as unknown as Matrix;
}

/** The lexer goes behind the `EI` that ends the picture: blanks around it, and no binary data soon after. */
function drawInline(machine: Machine): void {
  const { lexer, content } = machine;
  for (let token = lexer.next(); !(token instanceof Word && token.text === 'ID'); token = lexer.next())
    if (token === undefined) throw new NotPlain('a picture without an end');
  let tried = 0;
  for (let at = content.indexOf('EI', lexer.position + 1); at !== -1; at = content.indexOf('EI', at + 1)) {
    if (++tried > endsTriedMax) break;
    if (!/^\sEI(?:\s[\t\n\r -~]*|)$/.test(content.toString('latin1', at - 1, at + 14))) continue;
    lexer.position = at + 2;
    return addPicture(machine);
  }
  throw new NotPlain('a picture without an end');
}

/* Paths. */

function curve(machine: Machine, count: number): void {
  for (let index = 0; index < count; index += 2)
    machine.page.paths.reach(machine.state.matrix, numberAt(machine, index), numberAt(machine, index + 1));
}

function rectangle(machine: Machine): void {
  const [left, bottom, width, height] = [numberAt(machine, 0), numberAt(machine, 1), numberAt(machine, 2), numberAt(machine, 3)];
  const { paths } = machine.page;
  const { matrix } = machine.state;
  paths.moveTo(matrix, left, bottom);
  paths.lineTo(matrix, left, bottom + height);
  paths.lineTo(matrix, left + width, bottom + height);
  paths.lineTo(matrix, left + width, bottom);
  paths.close();
}

function fill(machine: Machine): void {
  if (machine.page.paths.paint(machine.state.matrix, undefined)) countObject(machine);
}

function stroke(machine: Machine): void {
  if (machine.page.paths.paint(machine.state.matrix, machine.state.lineWidth)) countObject(machine);
}

function closeAndStroke(machine: Machine): void {
  machine.page.paths.close();
  stroke(machine);
}
