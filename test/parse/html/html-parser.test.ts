import { describe, expect, it } from 'vitest';
import { createHtmlParser } from '../../../src/parse/html/html-parser.ts';
import { parseBytes } from '../../support/parse.ts';
import { encodeAs, smallFiles } from '../../support/text-fixtures.ts';

const parser = createHtmlParser();
const markdownOf = async (html: string): Promise<string> => (await parseBytes(parser, Buffer.from(html))).markdown;

describe('createHtmlParser', () => {
  it('keeps headings, lists, tables, code and quotes, and leaves out navigation and scripts', async () => {
    const parsed = await parseBytes(parser, Buffer.from(smallFiles['page.html']!));

    expect(parsed.markdown).toBe(
      [
        '# Handbook',
        'Rules for travel.',
        '- Ask first\n  1. by mail\n- Book later',
        '| City | Limit |\n| --- | --- |\n| 上海 | 500 |',
        '```js\npay(500);\n```',
        '> No exceptions.',
      ].join('\n\n'),
    );
    expect([parsed.title, parsed.author, parsed.language]).toEqual(['Handbook', 'Li Lei', 'en']);
    expect(parsed.blocks.map((block) => block.kind)).toEqual(['heading', 'paragraph', 'list', 'table', 'code', 'quote']);
  });

  it('reads what stands for those who run no scripts and no plug-ins, and the labels of drawings apart', async () => {
    const body =
      '<noscript><p>Prices are in euro.</p></noscript><object data="a.swf"><p>Map of Lyon</p></object>' +
      '<svg><title>Sales</title><text>Q1</text><text>12.50</text><style>a{}</style></svg><noembed>Sound</noembed>';

    expect(await markdownOf(`<head><title>Page</title></head><body>${body}</body>`)).toBe(
      'Prices are in euro.\n\nMap of Lyon\n\nSales Q1 12.50\n\nSound',
    );
  });

  it('keeps where links lead: not in headings, not for places of the page or the site, at the first paragraph of a card', async () => {
    const html =
      '<h2><a href="https://a.example/h">Forms</a></h2>' +
      '<p>See <a href="https://a.example/f?a=1&amp;b=(2)">the <b>form</b> </a>or <a href="/x">here</a> <a href="#y">below</a>，' +
      '<a href="mailto:hr@a.example">人事部</a>。<a href=https://a.example/z>never closed <p>then <a href="https://a.example">https://a.example/</a></p>' +
      '<table><tr><td><a href="https://a.example/c">x|y</a><td>b<tr><td>c<td>d</table><pre><a href="https://a.example/p">code</a></pre>' +
      '<a href="https://a.example/card"><h3>Card</h3><p>What it<br>says</p><p>more</p></a><p>after</p>';

    expect(await markdownOf(html)).toBe(
      [
        '## Forms',
        'See [the form](https://a.example/f?a=1&b=%282%29) or here below，[人事部](mailto:hr@a.example)。[never closed](https://a.example/z)',
        'then https://a.example/',
        '| [x\\|y](https://a.example/c) | b |\n| --- | --- |\n| c | d |',
        '```\ncode\n```',
        '### Card',
        '[What it\nsays](https://a.example/card)',
        'more',
        'after',
      ].join('\n\n'),
    );
  });

  it('takes no text for that of a link which is empty', async () => {
    const body = '<p><a href="https://a.example/1">one <a id="p12"/>link</a> and <a href="https://a.example/2"/>text</p>';

    expect(await markdownOf(`<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body>${body}</body></html>`)).toBe(
      '[one link](https://a.example/1) and text',
    );
  });

  it('loses no text to navigation when there is nothing else', async () => {
    expect(await markdownOf('<body><nav><p>Only this</p></nav></body>')).toBe('Only this');
  });

  it('does not let an unclosed nav swallow the page', async () => {
    expect(await markdownOf('<nav><a>Home</a><main><p>Text</p></main>')).toBe('Text');
  });

  it('writes out the cells that span columns and rows', async () => {
    const html =
      '<table><tr><th colspan=2>Name</th><th>Age</th></tr><tr><td rowspan=2>Li</td><td>Lei</td><td>30</td></tr><tr><td>Na</td><td>31</td></tr></table>';
    expect(await markdownOf(html)).toBe('| Name | Name | Age |\n| --- | --- | --- |\n| Li | Lei | 30 |\n| Li | Na | 31 |');
  });

  it('reads a table that only lays out the page as the page that it is', async () => {
    const html =
      '<table><tr><td><h1>News</h1><p>One.</p><p>Two.</p><ul><li>a</li></ul></td><td><table><tr><th>x</th></tr><tr><td>1</td></tr></table></td></tr></table>';
    expect(await markdownOf(html)).toBe('# News\n\nOne.\n\nTwo.\n\n- a\n\n| x |\n| --- |\n| 1 |');
  });

  it('keeps a table of data with a table inside a cell as one table', async () => {
    const html =
      '<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td><table><tr><td>x</td><td>y</td></tr></table></td></tr></table>';
    expect(await markdownOf(html)).toBe('| a | b |\n| --- | --- |\n| 1 | x y |');
  });

  it('reads what is unclosed as browsers do', async () => {
    expect(await markdownOf('<ul><li>a<li>b<ul><li>c</ul><li>d</ul><p>one<p>two<h2>three<p>four')).toBe(
      '- a\n- b\n  - c\n- d\n\none\n\ntwo\n\n## three\n\nfour',
    );
    expect(await markdownOf('<table><tr><td>a<td>b<tr><td>c<td>d</table>')).toBe('| a | b |\n| --- | --- |\n| c | d |');
  });

  it('keeps text that stands where it should not', async () => {
    const markdown = await markdownOf('<ul>loose<li>item</li></ul><table>stray<tr>also<td>cell</td><td>two</td></tr></table>');
    for (const word of ['loose', 'item', 'stray', 'also', 'cell']) expect(markdown).toContain(word);
  });

  it('puts a heading, a table or code inside a list item beside the list', async () => {
    expect(await markdownOf('<ol start=3><li>one<pre>x = 1</pre>after</li><li>two</li></ol>')).toBe(
      '3. one\n\n```\nx = 1\n```\n\nafter\n\n4. two',
    );
  });

  it('reads descriptions under their terms', async () => {
    expect(await markdownOf('<dl><dt>Fence</dt><dd>A number</dd><dd>that grows</dd><dt>Lease</dt></dl>')).toBe(
      '- Fence\n  - A number\n  - that grows\n- Lease',
    );
  });

  it('skips ruby readings, soft hyphens and breaks inside Chinese lines', async () => {
    expect(await markdownOf('<p><ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rt>じ</rt></ruby>は\n   文\u00adbc&shy;d</p>')).toBe(
      '漢字は文bcd',
    );
    expect(await markdownOf('<p>中文\n中文 english\ntext</p>')).toBe('中文中文 english text');
  });

  it('keeps the formula of MathML once, and the words for a picture', async () => {
    expect(await markdownOf('<p>Area <math alttext="r^2"><mi>r</mi></math> of <img alt="a circle" src=x>.</p>')).toBe(
      'Area r^2 of a circle .',
    );
  });

  it('reads CDATA and empty elements of XHTML', async () => {
    const html =
      '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/><script src="a"/></head><body><p>a<![CDATA[ < b]]></p></body></html>';
    expect(await markdownOf(html)).toBe('a < b');
  });

  it.each([
    ['gb2312', '<meta charset="gb2312"><p>租约</p>', 'gb18030'],
    ['big5', '<meta http-equiv="Content-Type" content="text/html; charset=big5"><p>租約</p>', 'big5'],
    ['shift_jis', "<meta charset='Shift_JIS'><p>検索</p>", 'shift_jis'],
  ])('believes the charset that the page declares: %s', async (_name, html, encoding) => {
    const parsed = await parseBytes(parser, encodeAs(html, encoding));

    expect(html).toContain(`<p>${parsed.markdown}</p>`);
  });
});
