import { describe, expect, it } from 'vitest';
import { DocumentError } from '../../../src/errors.ts';
import {
  createTreeBuilder,
  createXmlCounts,
  createXmlReader,
  readXmlTree,
  textOf,
  type XmlNode,
} from '../../../src/parse/containers/xml.ts';
import { openZip } from '../../../src/parse/containers/zip.ts';
import { usualLimits } from '../../support/parse.ts';
import { makeZip } from '../../support/zip-writer.ts';

const namespaces = { 'urn:one': 'one', 'urn:two': 'two' };

function read(
  xml: string | readonly string[],
  limits: { depthMax?: number; charactersMax?: number; cellsMax?: number } = {},
): XmlNode | null {
  const tree = createTreeBuilder('x.xml');
  const reader = createXmlReader(tree.handler, {
    namespaces,
    limits: { ...usualLimits, ...limits },
    counts: createXmlCounts(),
    part: 'x.xml',
  });
  for (const piece of typeof xml === 'string' ? [xml] : xml) reader.write(piece);
  reader.end();
  return tree.root();
}

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof DocumentError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'no error';
}

describe('XML', () => {
  it('comes with one prefix per namespace, whatever the file calls it', () => {
    const root = read('<a:r xmlns:a="urn:one"><b xmlns="urn:two" a:k="v" l="w"/><c/><x xmlns="urn:other"/></a:r>');

    expect(root).toEqual({
      name: 'one:r',
      attributes: { 'xmlns:a': 'urn:one' },
      children: [
        { name: 'two:b', attributes: expect.objectContaining({ 'one:k': 'v', l: 'w' }) as unknown, children: [] },
        { name: 'c', attributes: {}, children: [] },
        { name: '_:x', attributes: { xmlns: 'urn:other' }, children: [] },
      ],
    });
  });

  it('may arrive in any pieces, with the five entities, references and CDATA', () => {
    const xml = '<r>a &amp; b &#x4e2d;&#25991; <![CDATA[<raw>]]></r>';

    expect(textOf(read(xml))).toBe('a & b 中文 <raw>');
    expect(textOf(read(Array.from(xml)))).toBe('a & b 中文 <raw>');
  });

  it('leaves unknown entities as they stand, and refuses documents that declare some', () => {
    expect(textOf(read('<r>&lol;</r>'))).toBe('&lol;');
    expect(refusal(() => read('<!DOCTYPE r [<!ENTITY lol "ha">]><r>&lol;</r>'))).toBe(
      'corrupt: The part x.xml declares XML entities, which are not supported',
    );
  });

  it('is refused for nesting, for text, for a tag or attributes without end', () => {
    expect(refusal(() => read('<a>'.repeat(100_000)))).toBe(
      'limit_exceeded: The part x.xml nests deeper than 256 elements (MAX_NESTING)',
    );
    expect(refusal(() => read(`<a>${'x'.repeat(2000)}</a>`, { charactersMax: 1000 }))).toBe(
      'limit_exceeded: The file has more than 1000 characters of text (MAX_CHARACTERS)',
    );
    expect(refusal(() => read(`<a>${'<b/>'.repeat(1_000_060)}</a>`, { cellsMax: 0 }))).toBe(
      'limit_exceeded: The file has more than 1000000 XML elements (a million, and 10 for each cell of MAX_CELLS)',
    );
    expect(refusal(() => read(['<a b="', ...Array.from({ length: 20 }, () => 'x'.repeat(1024 * 1024))]))).toMatch(
      /^corrupt: .*one tag or comment/,
    );
    expect(refusal(() => read(`<a ${Array.from({ length: 5000 }, (_, at) => `k${at}="v"`).join(' ')}/>`))).toMatch(
      /^corrupt: .*more than 4096 attributes/,
    );
    expect(refusal(() => read(`<a>${'<b/>'.repeat(1_000_001)}</a>`))).toMatch(/^limit_exceeded: .*more than 1000000 elements/);
  });

  it('is decoded by byte order mark and by declaration', async () => {
    const zip = openZip(
      {
        path: '',
        bytes: makeZip([
          { name: 'utf16', data: Buffer.from('\ufeff<r>中文</r>', 'utf16le') },
          { name: 'bom', data: '\ufeff<r>中文</r>' },
          { name: 'latin', data: Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><r>é</r>', 'latin1') },
        ]),
      },
      usualLimits,
    );
    const text = async (name: string) =>
      textOf(await readXmlTree(zip, name, { namespaces, limits: usualLimits, counts: createXmlCounts() }));

    expect(await text('utf16')).toBe('中文');
    expect(await text('bom')).toBe('中文');
    expect(await text('latin')).toBe('é');
  });
});
