/** Texts in encodings that Node can read but not write, and small files of the text formats. */
import { decodeAs } from '../../src/parse/text/encoding.ts';

/** Prose long enough for statistics, for each encoding that is told by them. */
export const proseOf = {
  chineseSimplified:
    '本手册介绍公司的差旅制度。员工出差前应当提交申请，经部门经理批准后方可订票。住宿费用按照城市分级报销，超出部分由个人承担。回到公司后五个工作日之内，请把全部发票交给财务部。',
  chineseTraditional:
    '本手冊介紹公司的差旅制度。員工出差前應當提交申請，經部門經理批准後方可訂票。住宿費用按照城市分級報銷，超出部分由個人承擔。回到公司後五個工作日之內，請把全部發票交給財務部。',
  japanese:
    'この手引きは会社の出張規程を説明します。出張の前に申請を出し、上司の承認を得てから切符を予約してください。宿泊費は都市ごとに定められ、超えた分は自己負担となります。',
  korean:
    '이 안내서는 회사의 출장 규정을 설명합니다. 출장 전에 신청서를 제출하고 부서장의 승인을 받은 다음 표를 예매해야 합니다. 숙박비는 도시별로 정해져 있으며 초과한 금액은 본인이 부담합니다.',
  russian:
    'Это руководство описывает правила служебных поездок. Перед поездкой сотрудник подаёт заявку, и после согласия начальника отдела можно покупать билеты. Расходы на гостиницу возмещаются по нормам для каждого города.',
  german:
    'Dieses Handbuch beschreibt die Regeln für Dienstreisen. Vor der Reise stellt der Mitarbeiter einen Antrag; erst nach der Genehmigung dürfen Fahrkarten gekauft werden. Die Kosten für Übernachtungen werden größtenteils zurückgezahlt.',
} as const;

/** `text` in an encoding of one or two bytes a character. @throws for a character that the encoding has not. */
export function encodeAs(text: string, encoding: string): Uint8Array {
  if (encoding.startsWith('utf-16')) {
    const bytes = Buffer.from(text, 'utf16le');
    return encoding === 'utf-16be' ? bytes.swap16() : bytes;
  }
  const table = encoderOf(encoding);
  return Buffer.concat(
    Array.from(text, (character) => {
      const bytes = table.get(character);
      if (bytes === undefined) throw new Error(`${encoding} has no ${character}`);
      return bytes;
    }),
  );
}

const encoders = new Map<string, Map<string, Uint8Array>>();

/** The decoder turned round, by decoding all that there is. */
function encoderOf(encoding: string): Map<string, Uint8Array> {
  const known = encoders.get(encoding);
  if (known !== undefined) return known;
  const table = new Map<string, Uint8Array>();
  const add = (bytes: Uint8Array): void => {
    const character = decodeAs(bytes, encoding);
    if (Array.from(character).length === 1 && character !== '\ufffd' && !table.has(character)) table.set(character, bytes);
  };
  for (let first = 0; first < 256; first++) add(Uint8Array.of(first));
  for (let first = 0x81; first < 256; first++) for (let second = 0x31; second < 256; second++) add(Uint8Array.of(first, second));
  encoders.set(encoding, table);
  return table;
}

/** A small file of each text format, with headings, lists, a table and Chinese where the format has them. */
export const smallFiles: Readonly<Record<string, string>> = {
  'page.html':
    '<!doctype html><html lang="en"><head><title>Handbook</title><meta name="author" content="Li Lei"></head><body><nav><a href="/">Home</a></nav>' +
    '<h1>Handbook</h1><p>Rules for <b>travel</b>.</p><ul><li>Ask first<ol><li>by mail</li></ol></li><li>Book later</li></ul>' +
    '<table><tr><th>City</th><th>Limit</th></tr><tr><td>上海</td><td>500</td></tr></table><pre><code class="language-js">pay(500);</code></pre>' +
    '<blockquote><p>No exceptions.</p></blockquote></body></html>',
  'team.ics':
    'BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Review 预算\r\nDTSTART;TZID="Europe/Berlin":20260314T150000\r\nATTENDEE;CN=Ann:mailto:ann@example.org\r\nDESCRIPTION:Bring the\r\n  figures\\, all\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n',
  'people.vcf':
    'BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E5=BC=A0;=E4=B8=89\r\nTEL;HOME:12\r\nORG:Example;Sales\r\nEND:VCARD\r\n',
  'feed.rss':
    '<rss><channel><title>News</title><item><title>一</title><link>http://example.org/1</link><description>&lt;p&gt;a &lt;b&gt;b&lt;/b&gt;&lt;/p&gt;</description></item></channel></rss>',
  'list.opml':
    '<opml><head><title>T</title></head><body><outline text="a"><outline text="b" xmlUrl="http://example.org/"/></outline></body></opml>',
  'plan.svg':
    '<svg xmlns="http://www.w3.org/2000/svg"><title>T</title><text x="1"><tspan>a</tspan><tspan dy="2">二</tspan></text><desc>d</desc></svg>',
  'word2003.xml':
    '<w:wordDocument xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml"><w:lists><w:listDef w:listDefId="0"><w:lvl w:ilvl="0"><w:nfc w:val="0"/><w:lvlText w:val="%1."/></w:lvl></w:listDef><w:list w:ilfo="1"><w:ilst w:val="0"/></w:list></w:lists><w:body><w:p><w:pPr><w:listPr><w:ilvl w:val="0"/><w:ilfo w:val="1"/></w:listPr></w:pPr><w:r><w:t>一</w:t></w:r></w:p><w:sectPr><w:hdr><w:p><w:r><w:t>h</w:t></w:r></w:p></w:hdr></w:sectPr></w:body></w:wordDocument>',
  'flat.xml':
    '<pkg:package xmlns:pkg="http://schemas.microsoft.com/office/2006/xmlPackage"><pkg:part pkg:name="/word/document.xml"><pkg:xmlData><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>flat 文</w:t></w:r></w:p></w:body></w:document></pkg:xmlData></pkg:part><pkg:part pkg:name="/a.bin"><pkg:binaryData>QUJD</pkg:binaryData></pkg:part></pkg:package>',
  'excel2003.xml':
    '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Styles><Style ss:ID="a"><NumberFormat ss:Format="0.0"/></Style></Styles><Worksheet ss:Name="S"><Table><Row><Cell ss:MergeAcross="1" ss:StyleID="a"><Data ss:Type="Number">1</Data><Comment><Data>c</Data></Comment></Cell><Cell ss:Index="4"><Data ss:Type="String">二</Data></Cell></Row></Table></Worksheet></Workbook>',
  'notes.md':
    '---\ntitle: Handbook\n---\n\n# Handbook\n\nRules for **travel**.\n\n- Ask first\n  1. by mail\n- Book later\n\n| City | Limit |\n|---|---|\n| 上海 | 500 |\n\n```js\npay(500);\n```\n\n> No exceptions.\n',
  'rates.csv': 'City,Limit,Note\n上海,500,"first, second\nthird"\nParis,120,"said ""no"""\n',
  'rates.json':
    '{"title": "Handbook", "rates": [{"city": "上海", "limit": 500}, {"city": "Paris", "limit": 120}], "contact": {"name": "Li Lei", "tags": ["a", "b"]}}',
  'article.xml':
    '<?xml version="1.0"?><article xml:lang="en"><front><article-meta><title-group><article-title>Handbook</article-title></title-group>' +
    '<contrib-group><contrib><name><surname>Li</surname><given-names>Lei</given-names></name></contrib></contrib-group></article-meta></front>' +
    '<body><sec><title>Rules</title><p>Rules for <bold>travel</bold>.</p><list list-type="order"><list-item><p>Ask first</p></list-item></list>' +
    '<table-wrap><table><tr><th>City</th><th>Limit</th></tr><tr><td>上海</td><td>500</td></tr></table></table-wrap></sec></body></article>',
  'letter.rtf':
    '{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0\\fcharset0 Arial;}{\\f1\\fcharset134 SimSun;}}{\\stylesheet{\\s1 heading 1;}}{\\info{\\title Handbook}{\\author Li Lei}}' +
    "\\pard\\s1 Handbook\\par\\pard Rules for {\\b travel} in \\f1\\'c9\\'cf\\'ba\\'a3\\f0 \\u8212?now.\\par" +
    "{\\listtext\\'b7\\tab}Ask first\\par\\ilvl1{\\listtext 1.\\tab}by mail\\par\\pard\\plain" +
    '\\trowd\\intbl City\\cell Limit\\cell\\row\\intbl Paris\\cell 120\\cell\\row\\pard Done.\\par}',
  'mail.eml':
    'From: =?utf-8?B?5p2O6Zu3?= <li@example.com>\r\nTo: Ann <ann@example.com>\r\nSubject: Travel rules\r\nDate: Tue, 24 Nov 2026 08:00:00 +0000\r\nMIME-Version: 1.0\r\n' +
    'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Please read the <b>rules</b>.</p>\r\n' +
    '--b\r\nContent-Type: text/csv; name=rates.csv\r\nContent-Disposition: attachment; filename=rates.csv\r\n\r\nCity,Limit\r\nParis,120\r\n' +
    '--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=tool.exe\r\nContent-Transfer-Encoding: base64\r\n\r\nTVqQAAMAAAAEAAAA//8AALgAAAAAAAAAQAAAAAAAAAAAAAAAAAA=\r\n--b--\r\n',
  'talk.srt':
    '1\n00:00:01,000 --> 00:00:03,000\n<i>Good morning.</i>\n\n2\n00:00:03,500 --> 00:00:05,000\n大家好。\n\n3\n00:01:00,000 --> 00:01:02,000\nLater on.\n',
  'talk.vtt': 'WEBVTT\n\nNOTE draft\n\n00:01.000 --> 00:03.000 align:left\n<v Ann>Good morning.</v>\n',
  'story.txt': `${proseOf.german}\n\n${proseOf.chineseSimplified}\n`,
};
