/** Office MathML (ECMA-376 part 1, 22.1) as LaTeX: what a person can read aloud and a renderer can set. */
import { child, elements, textOf, type XmlNode } from '../../containers/xml.ts';

/** One `m:oMath` without its dollar signs; empty when nothing is in it. */
export function toLatex(math: XmlNode): string {
  return content(math).replace(/ {2,}/g, ' ').trim();
}

function content(node: XmlNode | undefined): string {
  const pieces: string[] = [];
  for (const each of elements(node)) {
    const piece = element(each);
    // A command must not swallow the letter after it.
    if (/\\[a-z]{1,20}$/i.test(pieces.at(-1)?.slice(-21) ?? '') && /^[a-z]/i.test(piece)) pieces.push(' ');
    pieces.push(piece);
  }
  return pieces.join('');
}

function element(node: XmlNode): string {
  const part = (name: string) => content(child(node, name));
  const property = (name: string) => child(child(node, `${node.name}Pr`), name)?.attributes['m:val'];
  switch (node.name) {
    case 'm:r':
      return run(node);
    case 'm:f':
      return fraction(property('m:type'), part('m:num'), part('m:den'));
    case 'm:sSup':
      return `${base(node)}^{${part('m:sup')}}`;
    case 'm:sSub':
      return `${base(node)}_{${part('m:sub')}}`;
    case 'm:sSubSup':
      return `${base(node)}_{${part('m:sub')}}^{${part('m:sup')}}`;
    case 'm:sPre':
      return `{}${limits(part('m:sub'), part('m:sup'))}${part('m:e')}`;
    case 'm:rad':
      return root(part('m:deg'), part('m:e'));
    case 'm:nary':
      return nary(property('m:chr') ?? '∫', part('m:sub'), part('m:sup'), part('m:e'));
    case 'm:d':
      return delimited(node, property);
    case 'm:func':
      return `${functionName(part('m:fName'))}${spaced(part('m:e'))}`;
    case 'm:limLow':
      return functionName(part('m:e')) + `_{${part('m:lim')}}`;
    case 'm:limUpp':
      return functionName(part('m:e')) + `^{${part('m:lim')}}`;
    case 'm:acc':
      return `${accents[property('m:chr') ?? '\u0302'] ?? '\\hat'}{${part('m:e')}}`;
    case 'm:bar':
      return `${property('m:pos') === 'top' ? '\\overline' : '\\underline'}{${part('m:e')}}`;
    case 'm:groupChr':
      return `${property('m:pos') === 'top' ? '\\overbrace' : '\\underbrace'}{${part('m:e')}}`;
    case 'm:m':
      return `\\begin{matrix}${rows(elements(node, 'm:mr').map((row) => elements(row, 'm:e').map(content).join(' & ')))}\\end{matrix}`;
    case 'm:eqArr':
      return aligned(elements(node, 'm:e').map(content));
    default:
      // Boxes, phantoms, arguments, tracked insertions: what is inside; properties and deletions: nothing.
      return node.name.endsWith('Pr') || node.name === 'w:del' ? '' : content(node);
  }
}

function base(node: XmlNode): string {
  const inner = child(node, 'm:e');
  const latex = content(inner);
  return elements(inner).some((each) => each.name === 'm:f') ? `{${latex}}` : latex;
}

function fraction(type: string | undefined, numerator: string, denominator: string): string {
  if (type === 'noBar') return `\\binom{${numerator}}{${denominator}}`;
  if (type === 'lin') return `${numerator}/${denominator}`;
  return `\\frac{${numerator}}{${denominator}}`;
}

function root(degree: string, inner: string): string {
  return degree === '' ? `\\sqrt{${inner}}` : `\\sqrt[${degree}]{${inner}}`;
}

function nary(sign: string, sub: string, sup: string, inner: string): string {
  return `${symbols[sign]?.trim() ?? sign}${limits(sub, sup)}${spaced(inner)}`;
}

function limits(sub: string, sup: string): string {
  return (sub === '' ? '' : `_{${sub}}`) + (sup === '' ? '' : `^{${sup}}`);
}

function delimited(node: XmlNode, property: (name: string) => string | undefined): string {
  const open = fence(property('m:begChr') ?? '(');
  const close = fence(property('m:endChr') ?? ')');
  const inner = elements(node, 'm:e').map(content);
  // A binomial coefficient brings its own brackets in LaTeX.
  if (inner.length === 1 && /^\\binom\{[^{}]*\}\{[^{}]*\}$/.test(inner[0]!) && open === '(') return inner[0]!;
  return `\\left${open}${inner.join(property('m:sepChr') ?? '|')}\\right${close}`;
}

function fence(character: string): string {
  if (character === '') return '.';
  if (character === '{' || character === '}') return `\\${character}`;
  return fences[character] ?? character;
}

function functionName(name: string): string {
  const plain = name.trim();
  return functions.has(plain) ? `\\${plain}` : plain;
}

function spaced(latex: string): string {
  return latex === '' || /^[\\({]/.test(latex) ? latex : ` ${latex}`;
}

function aligned(lines: readonly string[]): string {
  return lines.length > 1 ? `\\begin{aligned}${rows(lines)}\\end{aligned}` : (lines[0]?.replaceAll('&', '') ?? '');
}

function rows(lines: readonly string[]): string {
  return lines.map((line) => withoutAmpersands(line).trim()).join(' \\\\ ');
}

/** Those at either end; a pattern would try each of a long run in the middle. */
function withoutAmpersands(line: string): string {
  let end = line.length;
  while (line[end - 1] === '&') end--;
  return line.slice(0, end).replace(/^&+/, '');
}

function run(node: XmlNode): string {
  const text = elements(node, 'm:t').map(textOf).join('') + elements(node, 'w:t').map(textOf).join('');
  const isText = child(child(node, 'm:rPr'), 'm:nor') !== undefined;
  if (isText && /\p{L}/u.test(text)) return `\\text{${text}}`;
  return [...plainLetters(text)].map(sign).join('');
}

function sign(character: string): string {
  return symbols[character] ?? character;
}

/** Mathematical italic and bold letters are the same letters (NFKC), so that a search finds them. */
function plainLetters(text: string): string[] {
  return Array.from(text, (character) => (/[\u{1d400}-\u{1d7ff}]/u.test(character) ? character.normalize('NFKC') : character));
}

const functions = new Set(
  'sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh coth log ln lg exp lim max min sup inf det dim ker deg gcd arg Pr hom'.split(
    ' ',
  ),
);

const fences: Readonly<Record<string, string>> = {
  '⟨': '\\langle',
  '⟩': '\\rangle',
  '〈': '\\langle',
  '〉': '\\rangle',
  '⌊': '\\lfloor',
  '⌋': '\\rfloor',
  '⌈': '\\lceil',
  '⌉': '\\rceil',
  '‖': '\\|',
};

const accents: Readonly<Record<string, string>> = {
  '\u0302': '\\hat',
  '\u0303': '\\tilde',
  '\u0304': '\\bar',
  '\u0305': '\\overline',
  '\u0307': '\\dot',
  '\u0308': '\\ddot',
  '\u030c': '\\check',
  '\u20d7': '\\vec',
  '\u2192': '\\vec',
};

/** Letters and signs that have a name in LaTeX; the blank after it ends the command. */
const symbols: Readonly<Record<string, string>> = Object.fromEntries(
  `α alpha β beta γ gamma δ delta ε varepsilon ϵ epsilon ζ zeta η eta θ theta ϑ vartheta ι iota κ kappa λ lambda μ mu ν nu ξ xi π pi ρ rho
  σ sigma ς varsigma τ tau υ upsilon φ varphi ϕ phi χ chi ψ psi ω omega Γ Gamma Δ Delta Θ Theta Λ Lambda Ξ Xi Π Pi Σ Sigma Υ Upsilon Φ Phi
  Ψ Psi Ω Omega × times ÷ div ± pm ∓ mp · cdot ⋅ cdot ∙ cdot ∗ ast ∘ circ ≤ leq ≥ geq ≠ neq ≈ approx ≡ equiv ≅ cong ∼ sim ∝ propto ≪ ll ≫ gg
  ∞ infty ∂ partial ∇ nabla ∑ sum ∏ prod ∐ coprod ∫ int ∬ iint ∭ iiint ∮ oint ∯ oiint ∰ oiiint ⋃ bigcup ⋂ bigcap ⋁ bigvee ⋀ bigwedge
  ∪ cup ∩ cap ∈ in ∉ notin ∋ ni ⊂ subset ⊆ subseteq ⊃ supset ⊇ supseteq ∅ emptyset ∀ forall ∃ exists ¬ neg ∧ wedge ∨ vee ⊕ oplus ⊗ otimes
  → to ← leftarrow ↔ leftrightarrow ⇒ Rightarrow ⇐ Leftarrow ⇔ Leftrightarrow ↦ mapsto … ldots ⋯ cdots ⋮ vdots ⋱ ddots ℏ hbar ℓ ell ∠ angle
  ⊥ perp ∥ parallel`
    .trim()
    .split(/\s+/)
    .reduce<[string, string][]>((pairs, word, at, all) => (at % 2 === 0 ? [...pairs, [word, `\\${all[at + 1]!} `]] : pairs), [])
    .concat([
      ['−', '-'],
      ['–', '-'],
      ['\u2061', ''],
      ['\u2062', ''],
      ['\u00a0', ' '],
      ['\u2009', ' '],
    ]),
);
