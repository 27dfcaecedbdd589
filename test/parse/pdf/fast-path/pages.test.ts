import { describe, expect, it } from 'vitest';
import { runContent } from '../../../../src/parse/pdf/fast-path/content.ts';
import { openPlainFile } from '../../../../src/parse/pdf/fast-path/file.ts';
import { createFonts } from '../../../../src/parse/pdf/fast-path/fonts.ts';
import { type Dict, NotPlain, Ref } from '../../../../src/parse/pdf/fast-path/objects.ts';
import { contentOf, linkAreasOf, pagesOf } from '../../../../src/parse/pdf/fast-path/pages.ts';
import { viewOf } from '../../../../src/parse/pdf/page-view.ts';
import { pdfOfObjects, pdfStream } from '../../../support/plain-pdf.ts';

/** A page whose content is in these objects, numbered from 4. */
function pageOf(contents: string, ...objects: string[]) {
  const file = openPlainFile(
    pdfOfObjects([
      '<< /Type /Catalog /Pages 2 0 R >>',
      '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents ${contents} >>`,
      ...objects,
    ]),
  );
  return { file, page: pagesOf(file, file.get(file.trailer, 'Root') as Dict, 10)[0]! };
}

const inTime = () => undefined;

describe('The content of a page', () => {
  it.each([
    ['4 0 R', 'one\n'],
    ['[4 0 R 5 0 R]', 'one\ntwo\n'],
    ['null', ''],
    ['[]', ''],
  ])('is what %s holds, with a blank between streams', (contents, text) => {
    const { file, page } = pageOf(contents, pdfStream('one'), pdfStream('two'));
    expect(contentOf(file, page, inTime).toString()).toBe(text);
  });

  it('is not plain when it is no stream', () => {
    const { file, page } = pageOf('[4 0 R]', '(text)');
    expect(() => contentOf(file, page, inTime)).toThrow(NotPlain);
  });

  it('is given up between two of its streams when its time is over', () => {
    const { file, page } = pageOf(`[${'4 0 R '.repeat(100)}]`, pdfStream('again'));
    let asked = 0;
    const isOver = () => {
      if (++asked === 3) throw new NotPlain('late');
    };
    expect(() => contentOf(file, page, isOver)).toThrow('late');
    expect(asked).toBe(3);
  });
});

describe('The forms of a page', () => {
  it('are each drawn only while there is time', () => {
    const form = pdfStream('', '/Type /XObject /Subtype /Form /BBox [0 0 1 1]');
    const { file, page } = pageOf('5 0 R', form, pdfStream('/X Do '.repeat(100)));
    const resources: Dict = new Map([['XObject', new Map([['X', new Ref(4)]])]]);
    const fonts = createFonts(file, () => []);
    let asked = 0;
    const isOver = () => {
      if (++asked === 3) throw new NotPlain('late');
    };
    const content = contentOf(file, page, inTime);
    expect(runContent(file, fonts, content, resources, inTime).objectCount).toBe(100);
    expect(() => runContent(file, fonts, content, resources, isOver)).toThrow('late');
    expect(asked).toBe(3);
  });
});

describe('The links of a page', () => {
  const view = viewOf({ left: 0, bottom: 0, right: 595, top: 842 }, 0);
  const linkTo = (address: string, more = '') => `<< /Subtype /Link /Rect [1 1 9 9] /A << /S /URI /URI (${address}) >> ${more} >>`;
  function areasOf(...annotations: string[]) {
    const { file, page } = pageOf('null', `[${annotations.join(' ')}]`);
    return linkAreasOf(file, { ...page, dict: new Map([...page.dict, ['Annots', new Ref(4)]]) }, view);
  }

  it('are none where their address is longer than any that is written, as many may share it', () => {
    const addresses = [1900, 9000].map((length) => `http://a.example/${'x'.repeat(length)}`);

    expect(areasOf(...addresses.map((address) => linkTo(address))).map(({ target }) => target)).toEqual(addresses.slice(0, 1));
  });

  it('are looked for among its first annotations only, as pages may share a list of a million', () => {
    expect(areasOf('<< >> '.repeat(4999), linkTo('http://a.example/'), linkTo('http://a.example/late'))).toHaveLength(1);
  });

  it('are the first lines of a link that has thousands', () => {
    expect(areasOf(linkTo('http://a.example/', `/QuadPoints [${'1 '.repeat(8 * 3000)} /Odd]`))).toHaveLength(100);
  });
});
