/** Where the characters of a `TextCode` stand (GB/T 33190-2016, 11.3): a start, and steps from one to the next. */
import { type PlacedCharacter, usualWidth } from '../pdf/layout/placed-runs.ts';

export type TextCode = {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly deltaX: string | undefined;
  readonly deltaY: string | undefined;
  /** Of the type, and how much wider than high it is set. */
  readonly size: number;
  readonly hScale: number;
};

type Step = { readonly x: number; readonly y: number };

/**
 * The characters one after the other, and whether they go down the page. Where a step is missing a character goes as far as it is wide. They are
 * placed as they are asked for: a list of a long run would take hundreds of times its size.
 */
export function placeCharacters(code: TextCode): { readonly characters: Iterable<PlacedCharacter>; readonly isDown: boolean } {
  const { isDown, isSetApart } = lookAtSteps(code);
  return { characters: placed(code, isSetApart), isDown };
}

function* placed(code: TextCode, isSetApart: boolean): Generator<PlacedCharacter> {
  let [x, y] = [code.x, code.y];
  for (const { character, width, step, isLast } of stepsOf(code)) {
    const advance = isSetApart && !isLast ? step.x : advanceOf(step, width, code.size * code.hScale);
    yield { text: character, x, y, advance };
    x += step.x;
    y += step.y;
  }
}

function* stepsOf({ text, deltaX, deltaY, size, hScale }: TextCode): Generator<{
  readonly character: string;
  readonly width: number;
  readonly step: Step;
  readonly isLast: boolean;
}> {
  const stepsX = readSteps(deltaX);
  const stepsY = readSteps(deltaY);
  const goesDown = deltaY !== undefined && deltaX === undefined;
  let at = 0;
  for (const character of text) {
    at += character.length;
    const width = usualWidth(character) * size * hScale;
    const step = { x: stepsX.next() ?? (goesDown ? 0 : width), y: stepsY.next() ?? (goesDown ? size : 0) };
    yield { character, width, step, isLast: at === text.length };
  }
}

/** Characters set apart evenly, in size of type, are still one word. */
const evenMax = 2;

/** Whether all steps go down, and whether all are the same, as in a heading or in the boxes of a form: then none of them is a blank. */
function lookAtSteps(code: TextCode): { readonly isDown: boolean; readonly isSetApart: boolean } {
  const em = code.size * code.hScale;
  let count = 0;
  let first: Step | undefined;
  let [isDown, isEven] = [true, true];
  for (const { step, isLast } of stepsOf(code)) {
    if (isLast || !(isDown || isEven)) break;
    first ??= step;
    count += 1;
    isDown &&= step.x === 0 && step.y > 0;
    isEven &&= Math.abs(step.x - first.x) < em * 0.02 && step.y === 0;
  }
  if (first === undefined) return { isDown: false, isSetApart: false };
  return { isDown, isSetApart: isEven && count >= 2 && first.x > 0 && first.x <= em * evenMax };
}

/** A step along the line says how wide the character is; one that goes far leaves a gap behind it. */
function advanceOf(step: { readonly x: number; readonly y: number }, width: number, em: number): number {
  const isAlong = step.y === 0 && step.x > 0 && step.x <= Math.max(width * 1.5, em * narrowMax);
  return isAlong ? step.x : width;
}

/** In a font of equal widths narrow characters are as wide as others. */
const narrowMax = 0.72;
type Steps = { next(): number | undefined };

/** `g 3 2.5 7` is 2.5 2.5 2.5 7. Read as they are asked for: a count may be a lie. */
function readSteps(text: string | undefined): Steps {
  const words = (text ?? '').trim().split(/\s+/);
  let at = 0;
  let repeated = 0;
  let left = 0;
  return {
    next() {
      if (left > 0) {
        left--;
        return repeated;
      }
      while (at < words.length) {
        const word = words[at++]!;
        if (word === 'g' || word === 'G') {
          left = Math.max(0, Math.trunc(numberOf(words[at++])));
          repeated = numberOf(words[at++]);
          if (left === 0) continue;
          left--;
          return repeated;
        }
        if (word !== '') return numberOf(word);
      }
      return undefined;
    },
  };
}

function numberOf(word: string | undefined): number {
  const number = Number(word);
  return Number.isFinite(number) ? number : 0;
}
