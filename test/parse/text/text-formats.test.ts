import { describe, expect, it } from 'vitest';
import { createDocumentParser } from '../../../src/parse/document-parser.ts';
import type { ParsedDocument } from '../../../src/parse/parser.ts';
import { parseBytes, refusalOf } from '../../support/parse.ts';
import { smallFiles } from '../../support/text-fixtures.ts';

const parser = createDocumentParser({});
const read = (filename: string, text: string): Promise<ParsedDocument> => parseBytes(parser, Buffer.from(text), { filename });
const markdownOf = async (filename: string, text: string): Promise<string> => (await read(filename, text)).markdown;

describe('Markdown', () => {
  it('stays as it is, with every block found', async () => {
    const text = smallFiles['notes.md']!;
    const parsed = await read('notes.md', text);

    expect(parsed.markdown).toBe(text.trim());
    expect(parsed.title).toBe('Handbook');
    expect(parsed.blocks.map((block) => block.kind)).toEqual(['code', 'heading', 'paragraph', 'list', 'table', 'code', 'quote']);
  });

  it('knows underlined headings, rules, loose lists and fences inside them', async () => {
    const text = 'Title\n===\n\nText\nmore\n---\n\n- a\n\n  ```\n  # code\n\n  ```\n\n- b\n\n***\n\n    indented\n\nend';
    const parsed = await read('a.md', text);

    expect(parsed.blocks.map((block) => [block.kind, block.level ?? 0])).toEqual([
      ['heading', 1],
      ['heading', 2],
      ['list', 0],
      ['break', 0],
      ['code', 0],
      ['paragraph', 0],
    ]);
    expect(parsed.title).toBe('Title');
  });

  it('turns HTML in it into the tables and lists that it shows', async () => {
    const text =
      '# A\n\n<!-- hidden -->\n\n<table>\n<tr><th>x</th></tr>\n\n<tr><td>1</td></tr>\n</table>\n\n<div align="center">\n  <b>middle</b>\n</div>\n\n*end*';
    expect(await markdownOf('a.md', text)).toBe('# A\n\n| x |\n| --- |\n| 1 |\n\nmiddle\n\n*end*');
  });

  it('ends a fence where as many of its signs or more stand alone', async () => {
    const parsed = await read('a.md', '````\n```\n~~~~~\n````a\n `````\t\n\nb');

    expect(parsed.blocks.map((block) => block.kind)).toEqual(['code', 'paragraph']);
  });

  it('finds no blocks where a fence is never closed', async () => {
    expect((await read('a.md', '```\n# not a heading\n- not a list')).blocks.map((block) => block.kind)).toEqual(['code']);
  });
});

describe('CSV', () => {
  it('reads quotes, line breaks in them and doubled quotes', async () => {
    expect(await markdownOf('rates.csv', smallFiles['rates.csv']!)).toBe(
      '| City | Limit | Note |\n| --- | --- | --- |\n| 上海 | 500 | first, second third |\n| Paris | 120 | said "no" |',
    );
  });

  it.each([
    [';', 'a;b,c\n1;2,5\n'],
    ['\t', 'a\tb,c\n1\t2,5\n'],
    ['|', 'a|b,c\n1|2,5\n'],
  ])('tells the delimiter %j by the rows', async (_delimiter, text) => {
    expect(await markdownOf('a.csv', text)).toBe('| a | b,c |\n| --- | --- |\n| 1 | 2,5 |');
  });

  it('lets all first rows tell what cuts them, not a piece of a long first one', async () => {
    const rows = '1,2\n'.repeat(150);

    expect(await markdownOf('a.csv', `"a"${'|'.repeat(70_000)}\n${rows}`)).toContain('\n| 1 | 2 |');
  });

  it('keeps the cells of rows that are too wide and pads those that are too short', async () => {
    expect(await markdownOf('a.csv', 'sep=,\na,b\n1\n\n1,2,3\n')).toBe(
      '| a | b |  |\n| --- | --- | --- |\n| 1 |  |  |\n| 1 | 2 | 3 |',
    );
  });
});

describe('CSV that a database or a printer wrote', () => {
  it.each(['\v', '\f', '\0', '\u2028'])('ends its rows at line ends alone, not at %j', async (sign) => {
    expect(await markdownOf('a.csv', `name,price\nalpha${sign}one,12\n`)).toMatch(
      /^\| name \| price \|\n.*\n\| alpha ?one \| 12 \|$/,
    );
  });
});

describe('JSON', () => {
  it('keeps every value of a key that comes again, also where it is written otherwise', async () => {
    expect(await markdownOf('a.json', '{"a": "one", "\\u0061": "two", "b": {"c": 1, "c": {"d": "three"}}}')).toBe(
      '- a: one\n- a: two\n\n# b\n\n- c: 1\n\n## c\n\n- d: three',
    );
    expect(await markdownOf('a.jsonl', '{"a": "one", "a": "two"}\n{"a": 3}')).toBe(
      '| a | a |\n| --- | --- |\n| one | two |\n| 3 |  |',
    );
  });

  it('shows records as a table and the rest as lists under headings', async () => {
    const parsed = await read('rates.json', smallFiles['rates.json']!);

    expect(parsed.markdown).toBe(
      [
        '- title: Handbook',
        '# rates',
        '| city | limit |\n| --- | --- |\n| 上海 | 500 |\n| Paris | 120 |',
        '# contact',
        '- name: Li Lei\n- tags: a, b',
      ].join('\n\n'),
    );
    expect(parsed.title).toBe('Handbook');
  });

  it('reads JSON Lines', async () => {
    const parsed = await read('log.jsonl', '{"a": 1, "b": "x"}\n\n{"a": 2, "b": "y"}\n');

    expect(parsed.mediaType).toBe('application/x-ndjson');
    expect(parsed.markdown).toBe('| a | b |\n| --- | --- |\n| 1 | x |\n| 2 | y |');
  });

  it('shows a notebook as its text and code', async () => {
    const notebook = {
      cells: [
        { cell_type: 'markdown', source: ['# Title\n', 'text'] },
        { cell_type: 'code', source: 'print(1)', outputs: [{ text: ['1\n'] }] },
      ],
      metadata: { kernelspec: { language: 'python' } },
    };
    expect(await markdownOf('a.ipynb', JSON.stringify(notebook))).toBe(
      '# Title\n\ntext\n\n```python\nprint(1)\n```\n\n```\n1\n```',
    );
  });

  it('keeps what is not valid, and says so', async () => {
    const parsed = await read('a.json', '{"a": 1,}');

    expect(parsed.markdown).toBe('```\n{"a": 1,}\n```');
    expect(parsed.warnings).toEqual(['The file is not valid JSON; its text was kept as it is']);
  });

  it('names the limits it meets before it builds anything', async () => {
    const deep = Buffer.from('['.repeat(300) + ']'.repeat(300));
    expect(await refusalOf(parser, deep, { filename: 'a.json' })).toBe(
      'limit_exceeded: The JSON is nested deeper than 256 levels (MAX_NESTING)',
    );
    const wide = Buffer.from('[1,2,3,4]');
    expect(await refusalOf(parser, wide, { filename: 'a.json', limits: { cellsMax: 3 } })).toBe(
      'limit_exceeded: The JSON has more than 3 values (MAX_CELLS)',
    );
  });
});

describe('XML', () => {
  it('reads an article by its sections, lists and tables', async () => {
    const parsed = await read('article.xml', smallFiles['article.xml']!);

    expect(parsed.markdown).toBe(
      [
        '# Handbook',
        'Li Lei',
        '## Rules',
        'Rules for travel.',
        '1. Ask first',
        '| City | Limit |\n| --- | --- |\n| 上海 | 500 |',
      ].join('\n\n'),
    );
    expect([parsed.title, parsed.author, parsed.language]).toEqual(['Handbook', 'Lei Li', 'en']);
  });

  it('keeps the values of any other XML in order, by name', async () => {
    const xml = '<?xml version="1.0"?><order><title>News</title><item no="7"><name>A</name><price>5</price></item></order>';
    expect(await markdownOf('a.xml', xml)).toBe('title: News\nitem (no: 7)\nname: A\nprice: 5');
  });

  it('is XML by its name, whatever its root is called', async () => {
    expect(await markdownOf('a.xml', '<a><b c="sixattr"/></a>')).toBe('b (c: sixattr)');
    expect(await markdownOf('f.xml', '<form id="F12"><field name="alpha">beta</field><script>kept</script></form>')).toBe(
      'form (id: F12)\nfield (name: alpha): beta\nscript: kept',
    );
  });

  it('keeps what looks like tags in a text, CDATA and attributes, also below a root that articles have', async () => {
    const xml =
      '<?xml version="1.0"?><document xmlns="urn:x"><code>List&lt;String&gt; names</code><s><![CDATA[a < b && "<ok>"]]></s>' +
      '<item sku="AB-99" price="12.50"/><book isbn="978-3"><title>T</title></book></document>';
    expect(await markdownOf('code.xml', xml)).toBe(
      'code: List<String> names\ns: a < b && "<ok>"\nitem (sku: AB-99, price: 12.50)\nbook (isbn: 978-3)\ntitle: T',
    );
  });

  it('shows what entities stand for that the file declares, in attributes too, and leaves those of others', async () => {
    const declared = `<!ENTITY firm "Acme &#38;amp; Söhne"><!ENTITY % p "<!ENTITY q 'no'>"><!ENTITY all '&firm; "GmbH" <b>bold</b>'>
      <!-- <!ENTITY firm "other"> --><!ENTITY firm "second"><!ENTITY far SYSTEM "file:///etc/passwd">`;
    const body = '<n t="&firm; &all;">&all; &far; &none;</n><!-- &all; --><c><![CDATA[&firm;]]></c>';

    const parsed = await read('a.xml', `<?xml version="1.0"?><!DOCTYPE r [${declared}]><r>${body}</r>`);

    expect(parsed.markdown).toBe(
      'n (t: Acme & Söhne Acme & Söhne "GmbH" <b>bold</b>)\nAcme & Söhne "GmbH"\nb: bold\n&far; &none;\n\nc: &firm;',
    );
    expect(parsed.warnings).toEqual([]);
  });

  it('leaves entities as they are written that are made of themselves or would grow without end, and says so', async () => {
    const laughs = Array.from({ length: 12 }, (_, at) => `<!ENTITY l${at + 1} "${`&l${at};`.repeat(10)}">`).join('');
    const declared = `<!ENTITY l0 "ha">${laughs}<!ENTITY a "&b;"><!ENTITY b "&a;">`;

    const parsed = await read('a.xml', `<?xml version="1.0"?><!DOCTYPE r [${declared}]><r><t>&l1; &l12; &a;</t></r>`);

    expect(parsed.markdown).toBe(`t: ${'ha'.repeat(10)} &l12; &a;`);
    expect(parsed.warnings).toEqual([
      'Entities declared in the file are too long or refer to themselves; they were left as written',
    ]);
  });

  it('shows a property list as its keys and values', async () => {
    const body =
      '<key>On</key><true/><key>Count</key><integer>4711</integer><key>Of</key><dict><key>Name</key><string>a</string></dict>';

    expect(await markdownOf('Info.plist.xml', `<?xml version="1.0"?><plist version="1.0"><dict>${body}</dict></plist>`)).toBe(
      'plist (version: 1.0)\nOn: true\nCount: 4711\nOf:\nName: a',
    );
  });

  it('reads a patent: its title, abstract, description and claims', async () => {
    const xml =
      '<us-patent-grant><us-bibliographic-data-grant><country>US</country><invention-title>Widget</invention-title></us-bibliographic-data-grant>' +
      '<abstract><p>A widget.</p></abstract><description><heading level="1">FIELD</heading><p>Widgets.</p></description>' +
      '<claims><claim><claim-text>1. A widget, <claim-text>with a knob.</claim-text></claim-text></claim></claims></us-patent-grant>';
    expect(await markdownOf('a.xml', `<?xml version="1.0"?>${xml}`)).toBe(
      '# Widget\n\n## Abstract\n\nA widget.\n\n## FIELD\n\nWidgets.\n\n## Claims\n\n1. A widget,\n\nwith a knob.',
    );
  });
});

describe('RTF', () => {
  it('reads headings, lists, tables and every way to write a character', async () => {
    const parsed = await read('letter.rtf', smallFiles['letter.rtf']!);

    expect(parsed.markdown).toBe(
      [
        '# Handbook',
        'Rules for travel in 上海—now.',
        '- Ask first\n  1. by mail',
        '| City | Limit |\n| --- | --- |\n| Paris | 120 |',
        'Done.',
      ].join('\n\n'),
    );
    expect([parsed.title, parsed.author]).toEqual(['Handbook', 'Li Lei']);
  });

  it.each([
    [128, "\\'8c\\'9f\\'8d\\'f5", '検索'],
    [129, "\\'b0\\'cb\\'bb\\'f6", '검색'],
    [134, "\\'bc\\'ec\\'cb\\'f7", '检索'],
    [136, "\\'c0\\'cb\\'af\\'c1", '檢索'],
    [204, "\\'ef\\'ee\\'e8\\'f1\\'ea", 'поиск'],
  ])('decodes the bytes of a font with character set %i', async (charset, bytes, text) => {
    const rtf = `{\\rtf1\\ansi{\\fonttbl{\\f0\\fcharset0 A;}{\\f1\\fcharset${charset} B;}}\\pard\\f1 ${bytes}\\par}`;
    expect(await markdownOf('a.rtf', rtf)).toBe(text);
  });

  it('keeps comments with their author, headers and footers once, and where links lead', async () => {
    const rtf =
      String.raw`{\rtf1\ansi{\header\pard Example Ltd | 7\par}{\headerf\pard Example Ltd | 8\par}{\footer\pard Confidential\par}` +
      String.raw`\pard The price{\*\atnid AB}{\*\atnauthor Ann Lee}\chatn{\*\annotation{\*\atnref 1}\pard Check \par this.} is 5, see ` +
      String.raw`{\field{\*\fldinst HYPERLINK "https://example.org/a(b)"}{\fldrslt the list}}.\par\pard Next.\par}`;
    expect(await markdownOf('a.rtf', rtf)).toBe(
      'Example Ltd | 7\n\nThe price is 5, see [the list](https://example.org/a%28b%29).\n\nComment (Ann Lee): Check this.\n\nNext.\n\nConfidential',
    );
  });

  it('skips the fallback of a Unicode character, pictures, field codes and hidden text', async () => {
    const rtf =
      "{\\rtf1\\uc2 \\u20013\\'d6\\'d0\\uc1\\u25991?{\\pict 0102}{\\field{\\*\\fldinst HYPERLINK x}{\\fldrslt link}}{\\v hidden}{\\*\\unknown gone}\\~\\{ok\\}\\par}";
    expect(await markdownOf('a.rtf', rtf)).toBe('中文link {ok}');
  });

  it('skips an unknown group, not the rest of a group in which a star stands later', async () => {
    const text = '{\\rtf1\\ansi{\\*\\unknown gone}{\\loch\\f0\\*\\cs7 kept {\\*\\other gone}words}\\par }';

    expect(await markdownOf('a.rtf', text)).toBe('kept words');
  });
});

describe('subtitles', () => {
  it('joins cues that follow each other, led by their time', async () => {
    expect(await markdownOf('talk.srt', smallFiles['talk.srt']!)).toBe(
      '[00:00:01] Good morning.\n大家好。\n\n[00:01:00] Later on.',
    );
    expect(await markdownOf('talk.vtt', smallFiles['talk.vtt']!)).toBe('[00:00:01] Ann: Good morning.');
  });

  it('keeps what stands after a blank line in a cue, whatever made the line blank', async () => {
    const cue = (text: string): string => `1\n00:00:01,000 --> 00:00:02,000\n${text}\n\n2\n00:00:03,000 --> 00:00:04,000\nnext\n`;
    for (const blank of ['\n\n', '\u2029', '\f', '\n \n\n'])
      expect(await markdownOf('talk.srt', cue(`one${blank}two`))).toBe('[00:00:01] one\ntwo\nnext');
    expect(await markdownOf('talk.srt', '1\n00:00:01,000 --> 00:00:02,000\none\n\nlast')).toBe('[00:00:01] one\nlast');
    const vtt =
      'WEBVTT\n\nNOTE not said\n\nintro\n00:01.000 --> 00:02.000\none\n\nNOTE nor this\n\nend\n00:03.000 --> 00:04.000\ntwo\n';
    expect(await markdownOf('talk.vtt', vtt)).toBe('[00:00:01] one\ntwo');
  });
});

describe('plain text', () => {
  it('parts paragraphs at blank lines and guesses nothing', async () => {
    const parsed = await read('a.txt', 'CHAPTER ONE\r\n\r\nIt was\r\na night.\r\n \t\r\n# not a heading');

    expect(parsed.markdown).toBe('CHAPTER ONE\n\nIt was\na night.\n\n\\# not a heading');
    expect(parsed.blocks.map((block) => block.kind)).toEqual(['paragraph', 'paragraph', 'paragraph']);
  });
});
