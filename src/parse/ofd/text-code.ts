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

/** The characters one after the other, and whether they go down the page. Where a step is missing a character goes as far as it is wide. */
export function placeCharacters({ text, x, y, deltaX, deltaY, size, hScale }: TextCode): {
  readonly characters: readonly PlacedCharacter[];
  readonly isDown: boolean;
} {
  const stepsX = readSteps(deltaX);
  const stepsY = readSteps(deltaY);
  const goesDown = deltaY !== undefined && deltaX === undefined;
  const characters: PlacedCharacter[] = [];
  const steps: { readonly x: number; readonly y: number }[] = [];
  let atX = x;
  let atY = y;
  for (const character of text) {
    const width = usualWidth(character) * size * hScale;
    const step = { x: stepsX.next() ?? (goesDown ? 0 : width), y: stepsY.next() ?? (goesDown ? size : 0) };
    characters.push({ text: character, x: atX, y: atY, advance: advanceOf(step, width, size * hScale) });
    steps.push(step);
    atX += step.x;
    atY += step.y;
  }
  steps.pop();
  const isDown = steps.length > 0 && steps.every((step) => step.x === 0 && step.y > 0);
  return { characters: isSetApart(steps, size * hScale) ? joined(characters, steps) : characters, isDown };
}

/** A step along the line says how wide the character is; one that goes far leaves a gap behind it. */
function advanceOf(step: { readonly x: number; readonly y: number }, width: number, em: number): number {
  const isAlong = step.y === 0 && step.x > 0 && step.x <= Math.max(width * 1.5, em * narrowMax);
  return isAlong ? step.x : width;
}

/** In a font of equal widths narrow characters are as wide as others. */
const narrowMax = 0.72;
/** Characters set apart evenly, in size of type, are still one word. */
const evenMax = 2;

/** All steps are the same, as in a heading or in the boxes of a form: then none of them is a blank. */
function isSetApart(steps: readonly { readonly x: number; readonly y: number }[], em: number): boolean {
  const first = steps[0];
  if (first === undefined || steps.length < 2 || first.x > em * evenMax) return false;
  return first.x > 0 && steps.every((step) => Math.abs(step.x - first.x) < em * 0.02 && step.y === 0);
}

function joined(characters: readonly PlacedCharacter[], steps: readonly { readonly x: number }[]): PlacedCharacter[] {
  return characters.map((character, at) => ({ ...character, advance: steps[at]?.x ?? character.advance }));
}

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
