/** English forms that no stemming leads back to the word a dictionary has. */
import { stemOf } from '../analysis/stems.ts';

/** Form and word. */
const pairs =
  'won win, found find, came come, became become, fled flee, written write, wrote write, began begin, begun begin, broke break, broken break, ' +
  'brought bring, built build, bought buy, caught catch, chose choose, chosen choose, dealt deal, drew draw, drawn draw, drove drive, ' +
  'driven drive, ate eat, eaten eat, fell fall, fallen fall, felt feel, fought fight, flew fly, flown fly, forgot forget, forgotten forget, ' +
  'froze freeze, frozen freeze, gave give, given give, grew grow, grown grow, held hold, kept keep, knew know, known know, laid lay, led lead, ' +
  'left leave, lent lend, lost lose, made make, meant mean, met meet, paid pay, rode ride, rose rise, risen rise, ran run, said say, saw see, ' +
  'seen see, sold sell, sent send, shot shoot, shrank shrink, sang sing, sung sing, sank sink, sunk sink, slept sleep, spoke speak, ' +
  'spoken speak, spent spend, stood stand, stole steal, stolen steal, struck strike, swore swear, sworn swear, swam swim, took take, ' +
  'taken take, taught teach, told tell, thought think, threw throw, thrown throw, understood understand, wore wear, worn wear, went go, ' +
  'gone go, got get, bore bear, borne bear, born birth, men man, women woman, children child, people people, mice mouse, feet foot, ' +
  'teeth tooth, lives life, wives wife, wolves wolf, leaves leaf, bought buy, sought seek, withdrew withdraw, overcame overcome';

const forms = new Map(pairs.split(', ').map((pair) => pair.split(' ') as [string, string]));

/** The term of the word whose form this is, where it is an irregular one; else null. */
export function dictionaryForm(surface: string): string | null {
  const word = forms.get(surface);
  return word === undefined ? null : stemOf(word);
}
