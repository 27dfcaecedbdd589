import { describe, expect, it } from 'vitest';
import { createPptxParser } from '../../../../src/parse/office/slides/pptx-parser.ts';
import { makePptx, pptShape, type SlideParts } from '../../../support/office-writer.ts';
import { parseBytes, refusalOf } from '../../../support/parse.ts';

const parser = createPptxParser();

async function markdownOf(...slides: SlideParts[]): Promise<string> {
  return (await parseBytes(parser, makePptx({ slides }))).markdown;
}

function frame(content: string): string {
  return `<p:graphicFrame><p:nvGraphicFramePr/><a:graphic><a:graphicData>${content}</a:graphicData></a:graphic></p:graphicFrame>`;
}

function tableCell(text: string, attributes = ''): string {
  return `<a:tc ${attributes}><a:txBody><a:p><a:r><a:t>${text}</a:t></a:r></a:p></a:txBody></a:tc>`;
}

describe('a presentation', () => {
  it('is read in the order of the show, a page a slide, titles as headings', async () => {
    const document = await parseBytes(
      parser,
      makePptx({
        slides: [
          { title: 'Start', lines: ['Willkommen'] },
          { title: '第二页', lines: ['数据'] },
        ],
        title: 'Deck',
        author: 'Ann',
      }),
    );

    expect(document.markdown).toBe('# Start\n\nWillkommen\n\n# 第二页\n\n数据');
    expect(document.blocks.map((block) => block.page)).toEqual([1, 1, 2, 2]);
    expect(document).toMatchObject({ pages: 2, title: 'Deck', author: 'Ann' });
  });

  it('adds no heading to a slide without a title', async () => {
    expect(await markdownOf({ title: 'A' }, { lines: ['text'] })).toBe('# A\n\ntext');
  });

  it('adds notes without the slide number on them, and names hidden slides', async () => {
    const document = await parseBytes(parser, makePptx({ slides: [{ title: 'A', notes: 'Say hello', hidden: true }] }));

    expect(document.markdown).toBe('# A\n\nNotes: Say hello');
    expect(document.warnings).toEqual(['Hidden slides were read too: 1']);
  });

  it('keeps where links lead, in shapes and in tables', async () => {
    const linked = (text: string, id = 'l'): string => `<a:r><a:rPr><a:hlinkClick r:id="${id}"/></a:rPr><a:t>${text}</a:t></a:r>`;
    const shapes =
      `<p:sp><p:txBody><a:p><a:r><a:t>See </a:t></a:r>${linked('the ')}${linked('list')}<a:r><a:t> or </a:t></a:r>${linked('slide 2', 'none')}</a:p></p:txBody></p:sp>` +
      frame(`<a:tbl><a:tr>${tableCell('a')}<a:tc><a:txBody><a:p>${linked('b')}</a:p></a:txBody></a:tc></a:tr></a:tbl>`);
    const relationships = [{ id: 'l', type: 'hyperlink', target: 'https://example.org/list', external: true }];

    expect(await markdownOf({ shapes, relationships })).toBe(
      'See [the list](https://example.org/list) or slide 2\n\n| a | [b](https://example.org/list) |\n| --- | --- |',
    );
  });

  it('reads groups, and of contents that are written twice one', async () => {
    const shapes = `<p:grpSp>${pptShape('inside')}<p:grpSp>${pptShape('deeper')}</p:grpSp></p:grpSp><mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:Choice>${pptShape('new')}</mc:Choice><mc:Fallback>${pptShape('old')}</mc:Fallback></mc:AlternateContent>`;

    expect(await markdownOf({ shapes })).toBe('inside\n\ndeeper\n\nnew');
  });

  it('takes bullets from the slide itself and from its master', async () => {
    const p = (text: string, properties: string) => `<a:p><a:pPr ${properties}</a:pPr><a:r><a:t>${text}</a:t></a:r></a:p>`;
    const own = `<p:sp><p:txBody>${p('one', '><a:buAutoNum type="arabicPeriod"/>')}${p('sub', 'lvl="1"><a:buChar char="•"/>')}${p('two', '><a:buAutoNum type="arabicPeriod"/>')}${p('plain', '><a:buNone/>')}</p:txBody></p:sp>`;
    const ns =
      'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"';
    const markdown = (
      await parseBytes(
        parser,
        makePptx({
          slides: [
            {
              shapes: own,
              lines: ['inherited'],
              relationships: [{ id: 'l', type: 'slideLayout', target: '../slideLayouts/l.xml' }],
            },
          ],
          members: [
            { name: 'ppt/slideLayouts/l.xml', data: `<p:sldLayout ${ns}/>` },
            {
              name: 'ppt/slideLayouts/_rels/l.xml.rels',
              data: '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="m" Type="x/slideMaster" Target="../slideMasters/m.xml"/></Relationships>',
            },
            {
              name: 'ppt/slideMasters/m.xml',
              data: `<p:sldMaster ${ns}><p:txStyles><p:bodyStyle><a:lvl1pPr><a:buChar char="•"/></a:lvl1pPr></p:bodyStyle></p:txStyles></p:sldMaster>`,
            },
          ],
        }),
      )
    ).markdown;

    expect(markdown).toBe('- inherited\n\n1. one\n   - sub\n2. two\n\nplain');
  });

  it('repeats merged table cells', async () => {
    const table = `<a:tbl><a:tr>${tableCell('Head', 'gridSpan="2"')}${tableCell('', 'hMerge="1"')}</a:tr><a:tr>${tableCell('a', 'rowSpan="2"')}${tableCell('1')}</a:tr><a:tr>${tableCell('', 'vMerge="1"')}${tableCell('2')}</a:tr></a:tbl>`;

    expect(await markdownOf({ shapes: frame(table) })).toBe('| Head | Head |\n| --- | --- |\n| a | 1 |\n| a | 2 |');
  });

  it('lists the points of a diagram', async () => {
    const point = (text: string, type = '') => `<dgm:pt ${type}><dgm:t><a:p><a:r><a:t>${text}</a:t></a:r></a:p></dgm:t></dgm:pt>`;
    const data = `<dgm:dataModel xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><dgm:ptLst>${point('', 'type="doc"')}${point('Plan')}${point('Do')}</dgm:ptLst></dgm:dataModel>`;
    const slides = [
      {
        shapes: frame('<dgm:relIds r:dm="d"/>'),
        relationships: [{ id: 'd', type: 'diagramData', target: '../diagrams/data1.xml' }],
      },
    ];
    const document = await parseBytes(parser, makePptx({ slides, members: [{ name: 'ppt/diagrams/data1.xml', data }] }));

    expect(document.markdown).toBe('- Plan\n- Do');
  });

  it('reads comments with their authors', async () => {
    const ns = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"';
    const document = await parseBytes(
      parser,
      makePptx({
        slides: [{ title: 'A', relationships: [{ id: 'c', type: 'comments', target: '../comments/c.xml' }] }],
        members: [
          { name: 'ppt/comments/c.xml', data: `<p:cmLst ${ns}><p:cm authorId="9"><p:text>Really?</p:text></p:cm></p:cmLst>` },
        ],
      }),
    );

    expect(document.markdown).toBe('# A\n\nComment: Really?');
  });

  it('is refused when it has more slides than pages are allowed', async () => {
    const deck = makePptx({ slides: [{ title: 'A' }, { title: 'B' }] });

    expect(await refusalOf(parser, deck, { limits: { pagesMax: 1 } })).toBe(
      'limit_exceeded: The presentation has more than 1 slides (MAX_PAGES)',
    );
  });
});

describe('what hangs on a presentation', () => {
  it('keeps what pictures show, and a footer of all slides once', async () => {
    const shapes = (text: string): string =>
      `<p:pic><p:nvPicPr><p:cNvPr id="4" name="Picture 3" descr="${text}"/></p:nvPicPr></p:pic>${pptShape('Example Ltd 保密', '<p:ph type="ftr"/>')}`;

    expect(await markdownOf({ title: 'One', shapes: shapes('A bridge') }, { title: 'Two', shapes: shapes('') })).toBe(
      '# One\n\nPicture: A bridge\n\nExample Ltd 保密\n\n# Two',
    );
  });
});
