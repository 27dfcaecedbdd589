/** Text-like files that nobody writes by accident. */
import type { HostileFile } from './hostile-file.ts';

export function hostileTextFiles(): HostileFile[] {
  return [...hostileMarkup(), ...hostileData(), ...hostileMails(), ...hostileRtf(), ...hostileLines(), ...hostileBytes()];
}

const deep = 100_000;

function hostileMarkup(): HostileFile[] {
  return [
    file('deep-div.html', `<html>${'<div>'.repeat(deep)}text`),
    file('deep-table.html', `<html>${'<table><tr><td>'.repeat(deep)}text`),
    file('deep-list.html', `<html>${'<ul><li>item'.repeat(deep)}`),
    file('deep-quote.html', `<html>${'<blockquote>'.repeat(deep)}text`),
    file('deep-bold.html', `<html>${'<b><font>'.repeat(deep)}text`),
    file('deep-closed.html', `<html>${'<div><span>'.repeat(deep)}text${'</span></div>'.repeat(deep)}`),
    file('only-closing.html', `<html>text${'</div></td></li>'.repeat(deep)}`),
    file('crossed.html', `<html>${'<table></div><ul></table><li></ul>x'.repeat(deep)}`),
    file('giant-table.html', `<html><table>${'<tr><td>a<td>b<td>c<td>d'.repeat(deep)}`),
    file('text-in-table.html', `<html><table>${'<tr>text'.repeat(deep)}`),
    file('wide-cells.html', `<html><table>${'<tr><td colspan=1000>x'.repeat(deep)}`),
    file('tall-cells.html', `<html><table>${'<tr><td rowspan=65534>x'.repeat(deep)}`),
    file('paragraphs.html', `<html>${'<p>a'.repeat(1_300_000)}`, /^limit_exceeded: /),
    file('items.html', `<html><ul>${'<li>'.repeat(1_300_000)}`, /^limit_exceeded: /),
    file('cells.html', `<html><table>${'<td>'.repeat(2_100_000)}`, /^limit_exceeded: /),
    file('breaks.html', `<html>text${'<br>'.repeat(1_000_000)}more`),
    file('attributes.html', `<html><p ${'a="1" '.repeat(deep)}>text`),
    file('long-attribute.html', `<html><img alt="${'x'.repeat(2_000_000)}"><p>text`),
    file('angles.html', `<html>text${'<'.repeat(2_000_000)}`),
    file('entities.html', `<html>text${'&amp;&#x;&'.repeat(200_000)}`),
    file('comments.html', `<html>text${'<!--'.repeat(200_000)}`),
    file('doctypes.html', `${'<!doctype '.repeat(100_000)}html><p>text`),
    file('open-script.html', `<html><p>text<script>${'</scrip '.repeat(200_000)}`),
    file('ruby.html', `<html><p>text${'<ruby>漢<rt>かん'.repeat(deep)}`),
    file('laughs.xml', laughs(), 'read'),
    file('xxe.xml', '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><b>text &x;</b></a>'),
    file('deep.xml', `<?xml version="1.0"?>${'<a>'.repeat(deep)}text${'</a>'.repeat(deep)}`),
    file('deep-article.xml', `<?xml version="1.0"?><article>${'<sec><title>t</title>'.repeat(deep)}<p>text`),
    file('unclosed.xml', `<?xml version="1.0"?><article>${'<p'.repeat(500_000)}`, /^no_text: /),
  ];
}

function laughs(): string {
  const levels = Array.from({ length: 20 }, (_, level) => `<!ENTITY l${level + 1} "${`&l${level};`.repeat(10)}">`);
  return `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY l0 "lol">${levels.join('')}]><a><b>text &l20;</b></a>`;
}

function hostileData(): HostileFile[] {
  return [
    file('deep.json', '['.repeat(deep) + ']'.repeat(deep), /^limit_exceeded: /),
    file('deep-object.json', '{"a":'.repeat(deep) + '1' + '}'.repeat(deep), /^limit_exceeded: /),
    file('wide.json', `[${'1,'.repeat(3_000_000)}1]`, /^limit_exceeded: /),
    file('proto.json', '{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}, "text": "kept"}'),
    file('cut.json', '{"text": "never closed'),
    file('quotes.json', `{"a": ${'"'.repeat(1_000_001)}}`),
    file('unclosed.csv', `a,b\n"${'x,"y\n'.repeat(60_000)}`),
    file('quotes.csv', `a,b\n${'"'.repeat(3_000_001)}\n`),
    file('wide.csv', `${'a,'.repeat(1_000_000)}\n`.repeat(3), /^limit_exceeded: /),
    file('ragged.csv', `${'a,'.repeat(50_000)}\n${'b\n'.repeat(100_000)}`),
    file('arrows.srt', `1\n00:00:01,000 --> 00:00:02,000\n${'00:00:01,000 --> '.repeat(100_000)}text\n`, /^no_text: /),
    file('tags.vtt', `WEBVTT\n\n00:01.000 --> 00:02.000\ntext ${'<v '.repeat(200_000)}\n`),
  ];
}

function hostileMails(): HostileFile[] {
  const head = 'From: a@example.com\r\nTo: b@example.com\r\nSubject: hello\r\nMIME-Version: 1.0\r\n';
  const deepParts = Array.from(
    { length: 2000 },
    (_, level) => `Content-Type: multipart/mixed; boundary=b${level}\r\n\r\n--b${level}\r\n`,
  );
  let nested = `${head}Content-Type: text/plain\r\n\r\ninnermost\r\n`;
  for (let level = 0; level < 30; level++) nested = `${head}Content-Type: message/rfc822\r\n\r\n${nested}`;
  return [
    file('deep-parts.eml', `${head}${deepParts.join('')}text`, /^limit_exceeded: /),
    file('nested-mails.eml', nested),
    file('headers.eml', `${head}${'X-Filler: value\r\n'.repeat(100_000)}\r\ntext`),
    file(
      'many-parts.eml',
      `${head}Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\nContent-Type: text/plain\r\n\r\ntext\r\n'.repeat(20_000)}`,
    ),
    file(
      'encoded-words.eml',
      `From: a@example.com\r\nTo: ${'=?utf-8?Q?=41?= '.repeat(20_000)}\r\nSubject: hello\r\nDate: today\r\n\r\ntext`,
    ),
    file('addresses.eml', `From: a@example.com\r\nTo: ${'"<'.repeat(20_000)}\r\nSubject: hello\r\nDate: today\r\n\r\ntext`),
    file('bad-base64.eml', `${head}Content-Transfer-Encoding: base64\r\n\r\n${'!'.repeat(1_000_000)}`),
  ];
}

function hostileRtf(): HostileFile[] {
  return [
    file('deep.rtf', `{\\rtf1 text${'{'.repeat(deep)}`, /^limit_exceeded: /),
    file('closing.rtf', `{\\rtf1 text${'}'.repeat(deep)}more`),
    file('bin.rtf', '{\\rtf1 text\\bin2147483647 abc}'),
    file('fallbacks.rtf', `{\\rtf1\\uc2147483647 text ${'\\u20013'.repeat(100_000)}}`),
    file('cells.rtf', `{\\rtf1 text\\pard\\intbl ${'x\\cell'.repeat(200_000)}\\row}`),
    file('hex.rtf', `{\\rtf1 text ${"\\'".repeat(60_000)}}`),
    file('words.rtf', `{\\rtf1 text \\${'a'.repeat(1_000_000)}}`),
  ];
}

/** Lines on which a careless pattern takes for ever, in every format that is read by lines. */
function hostileLines(): HostileFile[] {
  const lines: Readonly<Record<string, string>> = {
    spaces: ' '.repeat(60_000),
    tabs: '\t'.repeat(60_000),
    letters: `${'a'.repeat(60_000)}!`,
    dashes: '-'.repeat(60_000),
    'dash-space': '- '.repeat(30_000),
    pipes: '|'.repeat(60_000),
    'pipe-dash': '|-'.repeat(30_000),
    colons: ':'.repeat(60_000),
    hashes: '#'.repeat(60_000),
    backticks: '`'.repeat(60_000),
    brackets: '['.repeat(60_000),
    quotes: '> '.repeat(30_000),
    digits: '1'.repeat(60_000),
    equals: '='.repeat(60_000),
    stars: '* '.repeat(30_000),
    dots: '. '.repeat(30_000),
  };
  return Object.entries(lines).flatMap(([name, line]) =>
    ['md', 'csv', 'html', 'srt'].map((extension) => file(`${name}.${extension}`, `text\n\n| a |\n${line}\n${line}x\n`)),
  );
}

function hostileBytes(): HostileFile[] {
  return [
    file('crlf.txt', `text${'\r\n'.repeat(4_500_000)}`),
    file('lines.py', `text${'\n'.repeat(5_000_000)}more`),
    file('lines.srt', `1\n00:00:01,000 --> 00:00:02,000\ntext${'\n'.repeat(5_000_000)}`),
    file('paragraphs.txt', 'a\n\n'.repeat(1_300_000), /^limit_exceeded: /),
    file('crlf.md', `text${'\r\n'.repeat(4_500_000)}`),
    { name: 'nuls.txt', bytes: () => new Uint8Array(1_000_000), ends: /^unsupported_format: / },
    { name: 'few-nuls.txt', bytes: () => Buffer.from(`${'some text '.repeat(100)}\0${'and more '.repeat(100)}`), ends: 'read' },
    { name: 'random.bin', bytes: () => randomBytes(1_000_000, 7), ends: /^unsupported_format: / },
    { name: 'random.html', bytes: () => randomBytes(200_000, 11), ends: /^unsupported_format: / },
    { name: 'random.pdf', bytes: () => Buffer.concat([Buffer.from('%PDF-1.7\n'), randomBytes(100_000, 13)]), ends: /^corrupt: / },
    { name: 'empty.txt', bytes: () => new Uint8Array(0), ends: /^(?:no_text: No text|invalid_document: .*Empty file)/ },
    { name: 'huge.png', bytes: () => pngHeader(50_000, 50_000), ends: /^limit_exceeded: / },
    { name: 'cut.jpg', bytes: () => Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16), ends: /^corrupt: / },
    file('a page.pdf', '<!doctype html><html><body><p>text of a page'),
    file('mail.docx', 'From: a@example.com\r\nTo: b@example.com\r\nSubject: hello\r\nDate: today\r\n\r\ntext'),
    { name: 'half-utf16.txt', bytes: () => Buffer.from(`\ufeff${'text '.repeat(100)}`, 'utf16le').subarray(0, 901), ends: 'read' },
    {
      name: 'bad-utf8.txt',
      bytes: () => Buffer.concat([Buffer.from('文字 text '.repeat(50)), Uint8Array.of(0xc3, 0x28, 0xff)]),
      ends: 'read',
    },
  ];
}

/** A PNG that declares a size and has nothing in it. */
export function pngHeader(width: number, height: number): Uint8Array {
  const bytes = Buffer.alloc(33);
  bytes.write('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 0, 'latin1');
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  bytes.set([8, 6, 0, 0, 0], 24);
  return bytes;
}

/** The same bytes every time for one seed (a linear congruential generator). */
export function randomBytes(length: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}

function file(name: string, text: string, ends: HostileFile['ends'] = 'read'): HostileFile {
  return { name, bytes: () => Buffer.from(text), ends };
}
