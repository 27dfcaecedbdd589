import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createDocumentParser } from '../../../../src/parse/document-parser.ts';
import { compoundFile } from '../../../../src/parse/containers/compound-writer.ts';
import { parseBytes, refusalOf } from '../../../support/parse.ts';
import { atom, container, group, linked, makePpt, shape, text, type PptParts } from '../../../support/ppt-writer.ts';
import { cells, makeXls, u16, u32 } from '../../../support/xls-writer.ts';

const parser = createDocumentParser({});
const title = (words: string) => shape(text(0, [words]), { placeholder: 13 });

async function markdownOf(parts: PptParts): Promise<string> {
  return (await parseBytes(parser, makePpt(parts))).markdown;
}

describe('a PPT presentation', () => {
  it('is read a page a slide, in the order of the show, titles as headings, with notes', async () => {
    const document = await parseBytes(
      parser,
      makePpt({
        slides: [
          {
            shapes: [shape(text(4, ['A box', '第二行'])), title('First')],
            notes: [shape(text(2, ['Say this', 'and that']), { placeholder: 12 })],
          },
          { shapes: [title('Second'), shape(text(4, ['*']), { placeholder: 8 })], hidden: true },
        ],
      }),
      { filename: 'a.ppt' },
    );

    expect(document.markdown).toBe('# First\n\nA box\n\n第二行\n\nNotes: Say this\n\nand that\n\n# Second');
    expect(document.blocks.map((block) => block.page)).toEqual([1, 1, 1, 1, 1, 2]);
    expect(document).toMatchObject({
      format: 'ppt',
      mediaType: 'application/vnd.ms-powerpoint',
      pages: 2,
      warnings: ['Hidden slides were read too: 2'],
    });
  });

  it('has bullets where the paragraph or its master says so', async () => {
    const master = { 1: [true, true], 4: [false] };
    const shapes = [
      shape(text(1, ['one', 'below', 'plain'], [{ level: 0 }, { level: 1 }, { level: 0, bullet: false }])),
      shape(text(4, ['none', 'own'], [{ level: 0 }, { level: 0, bullet: true }])),
      shape(text(7, ['as the body'])),
    ];

    expect(await markdownOf({ slides: [{ shapes }], master })).toBe('- one\n  - below\n\nplain\n\nnone\n\n- own\n\n- as the body');
  });

  it('counts paragraphs as the shape says', async () => {
    const scheme = (kind: number, start: number) => Buffer.concat([u32(0x0380_0000), u16(0xffff, 1, kind, start), u32(0, 0)]);
    const numbers = atom(4012, Buffer.concat([scheme(3, 4), scheme(9, 3)]));
    const runs = Buffer.concat([u32(4, 0), u32(5, 0x3c00), u16(1 << 10)]);
    const lines = ['a', 'b', 'c', 'd'];
    const looks = Buffer.concat(lines.map(() => Buffer.concat([u32(2), u16(0), u32(1), u16(1)])));
    const words = Buffer.concat([
      atom(3999, u32(4)),
      atom(4000, Buffer.from(lines.join('\r'), 'utf16le')),
      atom(4001, Buffer.concat([looks, runs])),
    ]);
    const data = container(0xf011, [container(0x1388, [container(0x138a, [atom(0x138b, numbers)])])]);
    const numbered = container(0xf004, [atom(0xf00a, u32(1, 0)), data, container(0xf00d, [words])]);

    expect(await markdownOf({ slides: [{ shapes: [numbered] }] })).toBe('4. a\n5. b\n- c) c\n- d) d');
  });

  it('finds texts that stand in the list of slides, those too to which no shape refers', async () => {
    const outline = [text(0, ['Title']), text(1, ['Body']), text(4, ['Left over'])];
    const shapes = [shape(atom(3998, u32(1))), shape(atom(3998, u32(0)), { placeholder: 13 }), shape(atom(3998, u32(1)))];

    expect(await markdownOf({ slides: [{ shapes, outline }] })).toBe('# Title\n\nBody\n\nLeft over');
  });

  it('is read with its tables, groups and fields; what is deleted is not', async () => {
    const cell = (words: string, anchor: readonly number[]) => shape(text(4, [words]), { anchor });
    const table = group([cell('wide', [0, 0, 200, 10]), cell('a', [0, 10, 100, 20]), cell('b', [100, 10, 200, 20])], true);
    const numbered = Buffer.concat([text(4, ['Slide *, at *']), atom(4056, u32(6)), atom(4087, u32(12))]);
    const shapes = [table, group([group([shape(text(4, ['deep']))])]), shape(numbered), shape(text(4, ['gone']), { flags: 8 })];

    expect(await markdownOf({ slides: [{ shapes }] })).toBe('| wide | wide |\n| --- | --- |\n| a | b |\n\ndeep\n\nSlide 1, at');
  });

  it('is read with its comments and the files inside of it', async () => {
    const words = (value: string, instance: number) => atom(4026, Buffer.from(value, 'utf16le'), instance);
    const comment = container(12_000, [words('Ann', 0), words('Why?', 1)]);
    const tags = container(0x1388, [container(0x138a, [words('___PPT10', 0), atom(0x138b, comment)])]);
    const inside = makeXls({ sheets: [{ name: 'S', records: [cells.label(0, 0, 'in a cell')] }] });

    expect(await markdownOf({ slides: [{ shapes: [title('T')], more: [tags] }], objects: [inside] })).toBe(
      '# T\n\nComment (Ann): Why?\n\n# Embedded file: object 1\n\n## S\n\nin a cell',
    );
  });

  it('reads text that is drawn as a picture of itself', async () => {
    const words = Buffer.from('Word art\0', 'utf16le');
    const list = Buffer.concat([u16(0x80c5), u32(4), u16(0x80c0), u32(words.length), u16(0x00bf), u32(1), Buffer.alloc(4), words]);
    const drawn = container(0xf004, [atom(0xf00a, u32(1, 0)), atom(0xf00b, list, 3)]);

    expect(await markdownOf({ slides: [{ shapes: [title('T'), drawn] }] })).toBe('# T\n\nWord art');
  });

  it('shows what stands on every slide once: texts of the master, footers', async () => {
    const footer = container(4057, [atom(4058, Buffer.from([0, 0, 0x20, 0])), atom(4026, Buffer.from('Footer', 'utf16le'), 2)]);
    const masterShapes = [shape(text(4, ['On all'])), shape(text(1, ['Click to edit']), { placeholder: 2 })];

    expect(
      await markdownOf({
        slides: [
          { shapes: [title('One')], more: [footer] },
          { shapes: [title('Two')], more: [footer] },
        ],
        masterShapes,
      }),
    ).toBe('# One\n\nOn all\n\nFooter\n\n# Two');
  });

  it('shows the heads of notes once, and text boxes beside the notes', async () => {
    const words = (value: string, instance: number) => atom(4026, Buffer.from(value, 'utf16le'), instance);
    const heads = container(4057, [atom(4058, Buffer.from([0, 0, 0x10, 0])), words('Header of notes', 1), words('Off', 2)]);
    const later = (kind: number, words: string) => shape(Buffer.concat([text(4, [words])]), { later: kind });
    const notes = [text(2, ['Say this'])].map((each) => shape(each, { placeholder: 12 }));
    const page = [...notes, later(8, '7'), later(9, 'Foot of notes'), shape(text(4, ['In a box']))];

    expect(
      await markdownOf({
        slides: ['One', 'Two'].map((name) => ({
          shapes: [title(name), later(8, '7'), later(9, 'Foot of slides')],
          notes: page,
          notesMore: [heads],
        })),
      }),
    ).toBe(
      '# One\n\nFoot of slides\n\nNotes: Say this\n\nHeader of notes\n\nFoot of notes\n\nIn a box\n\n# Two\n\nNotes: Say this',
    );
  });

  it('opens under no password or the one that came with it, and asks for any other', async () => {
    const parts = { slides: [{ shapes: [title('Secret')] }] };
    const chosen = makePpt({ ...parts, password: 'chosen' });

    expect(await markdownOf({ ...parts, password: '' })).toBe('# Secret');
    expect((await parseBytes(parser, chosen, { password: 'chosen' })).markdown).toBe('# Secret');
    expect(await refusalOf(parser, chosen)).toBe(
      'encrypted: The file is protected by a password: remove the password and upload it again, or send the password with it',
    );
  });

  it('is bounded: groups without end, slides that stand many times, cells, slides', async () => {
    let deep = shape(text(4, ['too deep']));
    for (let depth = 0; depth < 200; depth++) deep = group([deep]);
    const table = group([shape(text(4, ['a']), { anchor: [0, 0, 9, 9] }), shape(text(4, ['b']), { anchor: [9, 0, 18, 9] })], true);

    expect(await markdownOf({ slides: [{ shapes: [title('T'), deep] }] })).toBe('# T');
    expect(await refusalOf(parser, makePpt({ slides: [{ shapes: [table] }] }), { limits: { cellsMax: 1 } })).toMatch(/MAX_CELLS/);
    expect(await refusalOf(parser, makePpt({ slides: [{ shapes: [] }, { shapes: [] }] }), { limits: { pagesMax: 1 } })).toMatch(
      /MAX_PAGES/,
    );
    expect(await refusalOf(parser, compoundFile({ streams: { 'PowerPoint Document': Buffer.alloc(50) } }))).toMatch(/^corrupt: /);
  });

  it('unpacks the files inside of it by the bounds of archives, each and all together [S72]', async () => {
    const slides = [{ shapes: [shape(text(4, ['text']))] }];
    const packed = [2_000_000, 1_000_000, 900_000].map((bytes) => deflateSync(Buffer.alloc(bytes)));
    const { warnings } = await parseBytes(parser, makePpt({ slides, packed }), { limits: { unpackedBytesMax: 2_600_000 } });

    expect(warnings).toEqual([
      'The embedded file object 1 was not read: it unpacks to more than 200 times its packed size (MAX_UNPACK_RATIO)',
      'The embedded file object 2 was not read: Unsupported file format: object 2',
      'The embedded file object 3 was not read: the file unpacks to more than 2600000 bytes (MAX_UNPACKED_BYTES)',
    ]);
  });

  it('keeps where stretches of a text lead, over its lines, but in titles', async () => {
    const body = [
      text(4, ['See 表格, or', 'ask *']),
      atom(4056, u32(15)),
      linked(4, 6, 1),
      linked(9, 14, 2),
      linked(5, 6, 1),
      linked(0, 3, 9),
    ];
    const shapes = [shape(Buffer.concat([text(0, ['Forms']), linked(0, 5, 1)]), { placeholder: 13 }), shape(Buffer.concat(body))];
    const links = ['https://a.example/form', 'mailto:hr@a.example'];

    expect(await markdownOf({ slides: [{ shapes }], links })).toBe(
      '# Forms\n\nSee [表格](https://a.example/form), o[r](mailto:hr@a.example)\n\n[ask](mailto:hr@a.example) 1',
    );
  });
});
