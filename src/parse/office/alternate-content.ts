/** Markup compatibility (ECMA-376 part 3): one content written twice, for newer and for older programs. */
import { child, descendants, elements, type XmlNode } from '../containers/xml.ts';
import { descriptionsOf } from './description.ts';
import { references } from './drawing.ts';

/** Of an `mc:AlternateContent` the first choice that says something, else the fallback: never both. */
export function chosen(node: XmlNode): XmlNode {
  const choices = elements(node, 'mc:Choice');
  return choices.find((choice) => saysSomething(choice)) ?? child(node, 'mc:Fallback') ?? choices[0] ?? { ...node, children: [] };
}

function saysSomething(node: XmlNode): boolean {
  for (const name of ['w:t', 'm:t', 'a:t', 'w:footnoteReference']) if (!descendants(node, name).next().done) return true;
  return !references(node).next().done || descriptionsOf(node).length > 0;
}
