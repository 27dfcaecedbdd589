/**
 * What each format is made of, for files that repeat it: tokens, and how texts made of them become a file. In a token `№` stands for
 * a running number, `¤` for a place where a long run of any character may stand, and `⏎` for an end of line.
 */
import { makeEpub, makeOdf, makePptx, makeXlsx, makeDocx, wordNamespaces } from '../office-writer.ts';
import { makeZip } from '../zip-writer.ts';
import { ofd } from './ofd-grammar.ts';
import { binaryOfficeGrammars } from './binary-office.ts';
import { rawPdf } from './raw-pdf.ts';
import { wrappedGrammars } from './wrapped.ts';
import { xps } from './xps-grammar.ts';

export type Grammar = {
  /** Of the file, which tells some formats. */
  readonly filename: string;
  /** Tokens by the part of the file that they belong to; the part that holds its text is first. */
  readonly parts: Readonly<Record<string, readonly string[]>>;
  /** What was slow or large once, each as stretches `[part, head, body, tail]` of which the body is repeated. */
  readonly once?: readonly (readonly (readonly [part: string, head: string, body: string, tail: string])[])[];
  /** A file of the text of each part. */
  readonly make: (text: (part: string) => string) => Uint8Array;
};

/** One token a line. */
function lines(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trimStart())
    .filter((line) => line !== '');
}

/** Tags alone, closed, and around text. */
function tags(names: string): readonly string[] {
  return names.split(' ').flatMap((name) => [`<${name}>`, `</${name}>`, `<${name}>¤</${name}>`]);
}

type Around = { readonly before?: string; readonly after?: string; readonly once?: readonly (readonly [string, string, string])[] };

function textFile(filename: string, tokens: readonly string[], { before = '', after = '', once = [] }: Around = {}): Grammar {
  return {
    filename,
    parts: { text: tokens },
    once: once.map(([head, body, tail]) => [['text', head, body, tail]]),
    make: (text) => Buffer.from(before + text('text') + after),
  };
}

const htmlTokens = [
  '¤',
  ...tags('p div h1 h2 b span ul ol li dl dt dd table tr td th caption blockquote pre code nav main title math ruby rt script'),
  ...lines(`
    <br>
    <td colspan=9>a
    <td colspan=1000>a
    <td rowspan=9>a
    <td rowspan=65534>a
    <tr><td>a<td>b
    <table><tr><td>
    <li value=№>a
    <img alt="¤">
    <math alttext="¤">
    <meta name=a№ content="¤">
    <p class="¤">a
    <p ¤=a>a
    <p a№=b>
    <code class="language-¤">
    <!--¤-->
    <![CDATA[¤]]>
    <!doctype ¤>
    <?¤?>
    &amp;
    &#x¤;
    &nbsp;
    <
    </
    "
    <a href=№>a</a>
    <a href=http://a№>a</a>
    <a href=http://a>
    <ul><li>a
    <blockquote>a
    <table role=presentation>
    <p>№. a
  `),
];

const xmlArticleTokens = [
  '¤',
  ...tags(
    'sec title p list list-item table-wrap table tr td contrib surname name article-title abstract ref label bold code claims',
  ),
  ...lines(`
    <break/>
    <sec id="№"><title>a</title>
    <entry morerows="9">a</entry>
    <entry morerows="¤">
    <p xml:lang="¤">
    <p a№="b">
    <!--¤-->
    <![CDATA[¤]]>
    <?a ¤?>
    <!DOCTYPE a [¤]>
    &amp;
    &¤;
    <a:p xmlns:a="№">
    <p
  `),
];

const xmlDataTokens = [
  '¤',
  '⏎',
  ...tags('a b title item'),
  ...lines(`
    <a№>a</a№>
    <b/>
    <v>¤</v>
    <v>a⏎¤</v>
    <v a="¤">a</v>
    <v>&lt;p&gt;¤</v>
    <v>&lt;</v>
    <!--¤-->
    <![CDATA[¤]]>
    <?a ¤?>
    &amp;
    <a:v xmlns:a="№">a</a:v>
    <a xml:lang="¤">
    </
    <
  `),
];

const markdownTokens = [
  '¤',
  '¤⏎',
  '⏎',
  '⏎⏎',
  ...lines(`
    # ¤⏎
    #⏎
    ## a⏎⏎
    - ¤⏎
    - a⏎
      - a⏎
    1. a⏎
    №. a⏎
    > ¤⏎
    > a⏎
    | ¤ | b |⏎|---|---|⏎
    | a | b |⏎
    |---|---|⏎
    a|b⏎
    |¤|
    ---⏎
    - - -¤⏎
    ***¤⏎
    ===⏎
    a⏎===⏎
    \`\`\`¤⏎
    ~~~⏎
    \`\`\`⏎a⏎\`\`\`⏎
    \`¤\`
    <!--¤-->⏎
    <!--⏎⏎
    -->⏎
    <!-- a -->⏎⏎a⏎⏎
    <table>⏎⏎
    </table>⏎
    <table><tr><td>a</td></tr></table>⏎⏎
    <div>⏎⏎
    </div>⏎⏎
    <div>a</div>⏎⏎
    <pre>⏎⏎
    </pre>⏎⏎
    <script>⏎
    <style>⏎⏎
    <details>¤⏎
    [¤]: a⏎
    [a№]: b⏎
    [^№]: a⏎
    ![¤](a)
    **¤**
    \\\\
    &amp;
    "
  `),
  '    ¤⏎',
  '    a⏎',
  '  ¤⏎',
  '\ta⏎',
  '---⏎title: ¤⏎---⏎',
];

const csvTokens = [
  '¤',
  ',',
  ';',
  '\t',
  '|',
  '"',
  '""',
  '"¤"',
  '"a⏎b"',
  '⏎',
  'a,b⏎',
  'a⏎',
  ',,,,⏎',
  '"a""b",',
  '"a,',
  '№,a⏎',
  'a,b,c,d⏎',
  '"⏎',
  '"¤,a⏎',
  'sep=¤⏎',
];

const jsonTokens = lines(`
  "¤",
  "a":1,
  "a№":1,
  "a":"¤",
  {"a":1},
  {"a№":1},
  {"a":1,"b":2},
  {"¤":1},
  {"a":[1,2]},
  [1,2],
  [[1]],
  {},
  [],
  {
  [
  }
  ]
  "a":{
  "a":[
  "
  ,
  1,
  №,
  null,
  {"a":1}⏎
  [1]⏎
  ⏎
  ¤
  :
  \\
  {"cell_type":"markdown","source":["¤\\n"]},
  "a\\u0000",
`);

const rtfTokens = lines(`
  ¤
  {
  }
  {}
  {\\b ¤}
  a\\par 
  \\par 
  ¤\\par 
  \\pard
  \\plain 
  \\tab 
  \\line 
  \\s№ a\\par 
  \\s1 a\\par 
  \\outlinelevel0 a\\par 
  {\\stylesheet{\\s№ ¤;}}
  {\\stylesheet{\\s1 ¤;}}
  {\\s№ heading 1;}
  {\\stylesheet
  {\\fonttbl{\\f№\\fcharset134 a;}}
  {\\fonttbl
  {\\f№\\fcharset0 ¤;}
  \\f№ a
  \\f0\\'b0\\'a1
  \\'e9
  \\u233?
  \\u20013\\'3f
  \\uc9 
  {\\info{\\title ¤}}
  {\\info{\\author a}}
  {\\title a}
  {\\listtext ¤}
  {\\listtext 1.\\tab}a\\par 
  \\ilvl1{\\listtext a)}a\\par 
  \\intbl a\\cell 
  \\cell 
  \\row 
  \\intbl a\\cell b\\cell\\row 
  \\nestcell 
  {\\*\\x ¤}
  {\\*
  {\\pict 00}
  {\\footnote ¤}
  \\bin3 abc
  \\v a\\v0 
  \\¤ 
  \\a№ 
  \\~
  \\_
`);

const mailHeaders = lines(`
  X-A: ¤⏎
  X-№: a⏎
  Received: a⏎
   ¤⏎
  To: ¤⏎
  To: a <a@b.c>⏎
  Cc: a <№@b.c>,⏎
   a <№@b.c>,⏎
   (a)⏎
   "a" <a@b.c>⏎
   g:a@b.c;⏎
   =?utf-8?q?a?=⏎
  Subject: =?utf-8?B?¤?=⏎
   =?utf-8?B?5p2O?=⏎
  Content-Disposition: attachment; filename="¤"⏎
   a*№=b;⏎
   filename*№*=a%20;⏎
   a=b;⏎
  ¤
  :⏎
`);

const mailBody = [
  '¤',
  '⏎',
  '⏍⏎',
  'a⏎',
  ...lines(`
    --b⏎⏎a⏎
    --b⏎
    --b--⏎
    --⏎
    --a⏎
    --b⏎X-№: a⏎⏎
    --b⏎Content-Type: text/html⏎⏎<p>¤⏎
    --b⏎Content-Type: text/plain; format=flowed⏎⏎¤⏎
    --b⏎Content-Transfer-Encoding: quoted-printable⏎⏎a=⏎
    --b⏎Content-Transfer-Encoding: base64⏎⏎YQ==⏎
    --b⏎Content-Type: text/csv; name=a.csv⏎Content-Disposition: attachment⏎⏎a,b⏎1,2⏎
    --b⏎Content-Disposition: attachment; filename=a№.txt⏎⏎¤⏎
    --b⏎Content-Type: message/rfc822⏎⏎Subject: a⏎From: a@b.c⏎To: a@b.c⏎⏎a⏎
    --b⏎Content-Type: multipart/alternative; boundary=b№⏎⏎--b№⏎⏎a⏎
    Content-Type: multipart/mixed; boundary=b⏎⏎
    > a⏎
    a =⏎
    =20
    <p>a⏎
    https://a.b/¤ 
    - ¤⏎
  `),
];

const subtitleTokens = [
  '¤',
  '⏎',
  'a⏎',
  ...lines(`
    00:00:01.000 --> 00:00:02.000⏎
    00:00:01.000 --> 00:00:02.000⏎¤⏎⏎
    00:01.000 --> 00:02.000⏎a⏎⏎
    №⏎
    1⏎00:00:01,000 --> 00:00:02,000⏎a⏎⏎
    NOTE ¤⏎⏎
    STYLE⏎a⏎
    <v ¤>a
    <v a>
    <v
    <v.a
    <i>¤</i>
    <c.¤>
    <00:01.000>
    <
    {\\an8}
    {\\
    &amp;
    -->
    --> 
    00:00:01.000 --> ¤⏎
    a.⏎
  `),
  ' ',
  '\t',
];

const textTokens = [
  '¤', '⏎', '⏎⏎', '⏍⏎', '⏍', ' ⏎', '\t', '\f', '\v', 'a ', 'a⏎', 'A', 'Dr. A', '. ', 'a. ', '." ', '。', '！？', '，', 'a,', '1. a⏎', '№ ', '- a⏎', '# a⏎',
  '> a⏎', '```⏎', '[a]: b⏎', '===⏎', '|a|b|⏎', '<p>', '漢', '漢字。', 'かな', '한글 ', 'ก', 'é', 'e\u0301', '\u0301\u0316', '😀', '\u200b', '\u00a0', '\u2028',
  '\ufeff', '\u00ad', '\u3000', '\0', '\x1b', '\x1b$B', '~{', '~}', '1,', '1.', '1,000', '1.2.3 ', 'a_b', 'aB', 'a-', "a'", "it's ", 'a@b.c ', 'a&b', 'C++', 'C#', 'v1',
  '(', ')', '[', ']', '{', '}', '"', "'", '“', '”', '…', '...', '.', '!', '?', ';', ':', '/', '\\', '*', '_', '+', '=', '$', '%', '^', '~',
]; // prettier-ignore

const wordTokens = lines(`
  <w:p><w:r><w:t>¤</w:t></w:r></w:p>
  <w:p>
  </w:p>
  <w:p/>
  <w:r><w:t>¤</w:t></w:r>
  <w:r><w:t>a</w:t></w:r>
  <w:r><w:rPr><w:rStyle w:val="№"/></w:rPr><w:t>a</w:t></w:r>
  <w:r><w:rPr><w:rFonts w:ascii="¤"/></w:rPr><w:t>a</w:t></w:r>
  <w:r><w:tab/></w:r>
  <w:r><w:br/></w:r>
  <w:p><w:pPr><w:pStyle w:val="№"/></w:pPr><w:r><w:t>a</w:t></w:r></w:p>
  <w:p><w:pPr><w:pStyle w:val="0"/></w:pPr><w:r><w:t>a</w:t></w:r></w:p>
  <w:p><w:pPr><w:numPr><w:ilvl w:val="1"/><w:numId w:val="№"/></w:numPr></w:pPr><w:r><w:t>a</w:t></w:r></w:p>
  <w:p><w:pPr><w:numPr><w:numId w:val="0"/></w:numPr></w:pPr><w:r><w:t>a</w:t></w:r></w:p>
  <w:p><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>a</w:t></w:r></w:p>
  <w:p><w:pPr><w:outlineLvl w:val="0"/></w:pPr><w:r><w:t>¤</w:t></w:r></w:p>
  <w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr><w:r><w:t>a</w:t></w:r></w:p>
  <w:p><w:pPr><w:framePr w:dropCap="drop"/></w:pPr><w:r><w:t>a</w:t></w:r></w:p>
  <w:tbl>
  </w:tbl>
  <w:tr>
  </w:tr>
  <w:tc>
  </w:tc>
  <w:tc><w:p><w:r><w:t>¤</w:t></w:r></w:p></w:tc>
  <w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc></w:tr>
  <w:tr><w:tc><w:tcPr><w:vMerge/></w:tcPr><w:p/></w:tc></w:tr>
  <w:tr><w:tc><w:tcPr><w:vMerge w:val="restart"/></w:tcPr><w:p><w:r><w:t>¤</w:t></w:r></w:p></w:tc></w:tr>
  <w:tc><w:tcPr><w:gridSpan w:val="63"/></w:tcPr><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc>
  <w:tbl><w:tr><w:tc>
  <w:p><w:r><w:footnoteReference w:id="№"/></w:r></w:p>
  <w:p><w:r><w:footnoteReference w:id="0"/></w:r></w:p>
  <w:r><w:fldChar w:fldCharType="begin"/></w:r>
  <w:r><w:fldChar w:fldCharType="separate"/></w:r>
  <w:r><w:fldChar w:fldCharType="end"/></w:r>
  <w:r><w:instrText>¤</w:instrText></w:r>
  <w:hyperlink><w:r><w:t>a</w:t></w:r></w:hyperlink>
  <w:fldSimple w:instr='HYPERLINK "http://a№"'>
  <w:fldSimple w:instr='HYPERLINK "http://a"'><w:r><w:t>¤</w:t></w:r></w:fldSimple>
  <w:ins>
  <w:sdt><w:sdtContent>
  <w:r><w:sym w:font="Wingdings" w:char="F0FE"/></w:r>
  <w:r><w:ruby><w:rubyBase><w:r><w:t>a</w:t></w:r></w:rubyBase></w:ruby></w:r>
  <w:r><w:pict><w:txbxContent><w:p><w:r><w:t>a</w:t></w:r></w:p></w:txbxContent></w:pict></w:r>
  <w:p><w:r><w:pict><w:txbxContent>
  <w:r><w:drawing><c:chart r:id="c0"/></w:drawing></w:r>
  <w:p><w:r><w:drawing><c:chart r:id="c№"/></w:drawing></w:r></w:p>
  <mc:AlternateContent><mc:Choice><w:p><w:r><w:t>a</w:t></w:r></w:p></mc:Choice></mc:AlternateContent>
  <mc:AlternateContent>
  <mc:Choice>
  <mc:Fallback>
  <w:r><mc:AlternateContent><mc:Choice>
  <m:oMath><m:r><m:t>¤</m:t></m:r></m:oMath>
  <m:oMath><m:f><m:num>
  <m:rad><m:deg>
  <m:sSup><m:e>
  <m:d><m:e><m:r><m:t>a</m:t></m:r></m:e></m:d>
  <m:oMath><m:eqArr><m:e><m:r><m:t>¤</m:t></m:r></m:e><m:e/></m:eqArr></m:oMath>
  <w:altChunk/>
  <w:sectPr/>
  <w:del><w:r><w:t>a</w:t></w:r></w:del>
  <a:p xmlns:a="№"/>
  <w:x a№="b"/>
  <!--¤-->
`);

const wordStyles = lines(`
  <w:style w:type="paragraph" w:styleId="№"><w:name w:val="¤"/><w:basedOn w:val="0"/></w:style>
  <w:style w:type="paragraph" w:styleId="№"><w:basedOn w:val="0"/></w:style>
  <w:style w:type="paragraph" w:styleId="№"><w:name w:val="heading 1"/></w:style>
  <w:style w:type="paragraph" w:styleId="0"><w:name w:val="¤"/>
  <w:style w:type="paragraph" w:styleId="0"><w:pPr>
  <w:style w:type="character" w:styleId="№"><w:basedOn w:val="0"/><w:rPr><w:vanish/></w:rPr></w:style>
  <w:x/>
  <w:y№ a="№"/>
  <w:name w:val="a"/>
  <w:rPr><w:rFonts w:ascii="¤"/></w:rPr>
`);

const wordNumbering = lines(`
  <w:num w:numId="№"><w:abstractNumId w:val="0"/></w:num>
  <w:num w:numId="№"><w:abstractNumId w:val="№"/></w:num>
  <w:num w:numId="0"><w:abstractNumId w:val="0"/></w:num>
  <w:num w:numId="№"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="9"/></w:lvlOverride></w:num>
  <w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:lvlText w:val="¤%1"/></w:lvl></w:abstractNum>
  <w:abstractNum w:abstractNumId="№"><w:lvl w:ilvl="0"><w:lvlText w:val="%1."/></w:lvl></w:abstractNum>
  <w:abstractNum w:abstractNumId="0">
  <w:lvl w:ilvl="0"><w:lvlText w:val="%1%1%1"/></w:lvl>
  <w:lvl w:ilvl="0"><w:pStyle w:val="№"/></w:lvl>
  <w:x/>
`);

const wordNotes = lines(`
  <w:footnote w:id="0"><w:p><w:r><w:t>¤</w:t></w:r></w:p></w:footnote>
  <w:footnote w:id="№"><w:p><w:r><w:t>a</w:t></w:r></w:p></w:footnote>
  <w:footnote w:id="0">
  <w:p><w:r><w:t>a</w:t></w:r></w:p>
`);

const chartTokens = lines(`
  <c:ser><c:tx><c:v>¤</c:v></c:tx><c:val><c:pt idx="№"><c:v>1</c:v></c:pt></c:val></c:ser>
  <c:ser><c:val>
  <c:pt idx="№"><c:v>¤</c:v></c:pt>
  <c:pt idx="№"><c:v>1</c:v></c:pt>
  <c:x/>
`);

const relationTokens = lines(`
  <Relationship Id="c№" Type="a/chart" Target="charts/chart1.xml"/>
  <Relationship Id="x№" Type="a/slide" Target="nowhere№.xml"/>
  <Relationship Id="x№" Type="¤" Target="¤"/>
  <Relationship/>
`);

const chartRoot =
  '<c:chartSpace xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">';

const docx: Grammar = {
  filename: 'a.docx',
  once: [
    [
      ['styles', '<w:style w:type="paragraph" w:styleId="0">', '<w:x/>', '</w:style>'],
      ['styles', '', '<w:style w:type="paragraph" w:styleId="№"><w:basedOn w:val="0"/></w:style>', ''],
      ['document', '', '<w:p><w:pPr><w:pStyle w:val="№"/></w:pPr><w:r><w:t>a</w:t></w:r></w:p>', ''],
    ],
    [
      ['numbering', '<w:abstractNum w:abstractNumId="0">', '<w:lvl w:ilvl="0"><w:lvlText w:val="a"/></w:lvl>', '</w:abstractNum>'],
      ['numbering', '', '<w:num w:numId="№"><w:abstractNumId w:val="0"/></w:num>', ''],
    ],
    [
      ['footnotes', '<w:footnote w:id="0"><w:p><w:r><w:t>', 'note ', '</w:t></w:r></w:p></w:footnote>'],
      ['document', '', '<w:p><w:r><w:footnoteReference w:id="0"/></w:r></w:p>', ''],
    ],
    [
      [
        'document',
        '',
        '<m:oMath><m:rad><m:deg><m:rad><m:deg><m:rad><m:deg><m:rad><m:deg><m:r><m:t>1</m:t></m:r></m:deg></m:rad></m:deg></m:rad></m:deg></m:rad></m:deg></m:rad></m:oMath>',
        '',
      ],
    ],
  ],
  parts: {
    document: wordTokens,
    styles: wordStyles,
    numbering: wordNumbering,
    footnotes: wordNotes,
    chart: chartTokens,
    relations: relationTokens,
  },
  make: (text) =>
    makeDocx({
      body: text('document'),
      styles: text('styles'),
      numbering: text('numbering'),
      relationships: [
        { id: 'notes', type: 'footnotes', target: 'footnotes.xml' },
        { id: 'c0', type: 'chart', target: 'charts/chart1.xml' },
        ...moreRelations(text('relations')),
      ],
      members: [
        { name: 'word/footnotes.xml', data: `<w:footnotes ${wordNamespaces}>${text('footnotes')}</w:footnotes>` },
        {
          name: 'word/charts/chart1.xml',
          data: `${chartRoot}<c:chart><c:plotArea>${text('chart')}</c:plotArea></c:chart></c:chartSpace>`,
        },
      ],
    }),
};

/** What a text of `<Relationship>` elements says, for writers that take them one by one. */
function moreRelations(text: string): { id: string; type: string; target: string }[] {
  return [...text.matchAll(/<Relationship Id="([^"]*)" Type="a?\/?([^"]*)" Target="([^"]*)"/g)].map(
    ([, id = '', type = '', target = '']) => ({
      id,
      type,
      target,
    }),
  );
}

const sheetTokens = lines(`
  <row>
  </row>
  <row r="№"><c><v>1</v></c></row>
  <row><c><v>1</v></c><c><v>2</v></c></row>
  <c><v>1.5</v></c>
  <c s="1"><v>1.5</v></c>
  <c s="№"><v>1.5</v></c>
  <c t="s"><v>0</v></c>
  <c t="s"><v>№</v></c>
  <c t="str"><v>¤</v></c>
  <c t="inlineStr"><is><t>¤</t></is></c>
  <c t="inlineStr"><is><t>a</t></is></c>
  <c r="A№"><v>1</v></c>
  <c r="XFD№"><v>1</v></c>
  <c r="B1"><v>№</v></c>
  <c><v>¤</v></c>
  <c><v>№</v></c>
  <c t="b"><v>1</v></c>
  <c t="d"><v>¤</v></c>
  <c><f>a</f></c>
  <c>
  <v>1</v>
  <row r="№"><c r="A№" t="str"><v>a</v></c><c r="XFD№" t="str"><v>b</v></c></row>
  <row><c/><c><v>1</v></c></row>
`);

const xlsx: Grammar = {
  filename: 'a.xlsx',
  once: [
    [
      ['formats', '<numFmt numFmtId="200" formatCode="0.', '0', '"/>'],
      ['sheet', '<row>', '<c s="1"><v>1.5</v></c>', '</row>'],
    ],
    [
      ['merges', '', '<mergeCell ref="A1:XFD1048576"/>', ''],
      ['sheet', '', '<row r="№"><c><v>1</v></c><c><v>2</v></c></row>', ''],
    ],
    [
      ['strings', '<si><t>', 'long ', '</t></si>'],
      ['sheet', '', '<row><c t="s"><v>0</v></c></row>', ''],
    ],
  ],
  parts: {
    sheet: sheetTokens,
    merges: lines(`
      <mergeCell ref="A1:XFD1048576"/>
      <mergeCell ref="A№:C№"/>
      <mergeCell ref="A1:C№"/>
      <mergeCell ref="A1:A2"/>
      <mergeCell ref="¤"/>
      <hyperlink ref="A№" r:id="l"/>
      <hyperlink ref="A1" r:id="l"/>
    `),
    strings: lines(`
      <si><t>¤</t></si>
      <si><t>a№</t></si>
      <si>
      </si>
      <r><t>a</t></r>
      <rPh><t>a</t></rPh>
    `),
    formats: lines(`
      <numFmt numFmtId="200" formatCode="¤"/>
      <numFmt numFmtId="№" formatCode="0.00"/>
      <numFmt numFmtId="200" formatCode="0.0¤"/>
      <numFmt numFmtId="200" formatCode="0;0;¤"/>
      <numFmt numFmtId="200" formatCode="&quot;¤&quot;0"/>
      <numFmt numFmtId="200" formatCode="[¤]0"/>
      <numFmt numFmtId="200" formatCode="yyyy¤"/>
      <numFmt numFmtId="200" formatCode="# ?/¤"/>
    `),
    styles: lines(`
      <xf numFmtId="200"/>
      <xf numFmtId="№"/>
    `),
    comments: lines(`
      <comment ref="A1" authorId="0"><text><t>¤</t></text></comment>
      <comment ref="A№" authorId="№"><text><t>a</t></text></comment>
    `),
    authors: ['<author>¤</author>', '<author>a</author>'],
  },
  make: (text) =>
    makeXlsx({
      sheets: [
        {
          name: 'S',
          rows: [],
          sheetData: `<sheetData>${text('sheet')}</sheetData><mergeCells>${text('merges')}</mergeCells>`,
          relationships: [
            { id: 'c', type: 'comments', target: '../comments1.xml' },
            { id: 'l', type: 'hyperlink', target: 'http://a', external: true },
          ],
        },
      ],
      sharedStrings: text('strings'),
      styles: `<numFmts>${text('formats')}</numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="200"/>${text('styles')}</cellXfs>`,
      members: [
        {
          name: 'xl/comments1.xml',
          data: `<comments xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><authors>${text('authors')}</authors><commentList>${text('comments')}</commentList></comments>`,
        },
      ],
    }),
};

const slideTokens = lines(`
  <p:sp><p:txBody><a:p><a:r><a:t>¤</a:t></a:r></a:p></p:txBody></p:sp>
  <p:sp><p:nvSpPr><p:nvPr><p:ph type="body" idx="1"/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>a</a:t></a:r></a:p></p:txBody></p:sp>
  <p:sp><p:nvSpPr><p:nvPr><p:ph type="body" idx="№"/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>a</a:t></a:r></a:p></p:txBody></p:sp>
  <p:sp><p:nvSpPr><p:nvPr><p:ph type="body" idx="1"/></p:nvPr></p:nvSpPr><p:txBody>
  <p:sp><p:txBody>
  <a:lstStyle>
  </a:lstStyle>
  <a:x/>
  <a:lvl1pPr/>
  <a:p><a:r><a:t>a</a:t></a:r></a:p>
  <a:p><a:r><a:t>¤</a:t></a:r></a:p>
  <a:p><a:pPr><a:buAutoNum type="¤"/></a:pPr><a:r><a:t>a</a:t></a:r></a:p>
  <a:p><a:pPr lvl="8"><a:buChar/></a:pPr><a:r><a:t>a</a:t></a:r></a:p>
  <a:p><a:br/></a:p>
  <p:grpSp>
  </p:grpSp>
  <p:graphicFrame><a:graphic><a:graphicData><a:tbl>
  <a:tr><a:tc><a:txBody><a:p><a:r><a:t>a</a:t></a:r></a:p></a:txBody></a:tc></a:tr>
  <a:tr><a:tc><a:txBody><a:p><a:r><a:t>¤</a:t></a:r></a:p></a:txBody></a:tc></a:tr>
  <a:tr><a:tc vMerge="1"/></a:tr>
  <a:tr>
  <a:tc hMerge="1"/>
  <a:tc gridSpan="100"><a:txBody><a:p><a:r><a:t>a</a:t></a:r></a:p></a:txBody></a:tc>
  <p:graphicFrame><c:chart r:id="c0"/></p:graphicFrame>
  <p:graphicFrame><c:chart r:id="c№"/></p:graphicFrame>
  <mc:AlternateContent><mc:Choice>
  <p:pic/>
  <!--¤-->
`);

const slideNs =
  'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"';

const pptx: Grammar = {
  filename: 'a.pptx',
  once: [
    [
      ['layout', '', '<p:sp/>', ''],
      [
        'slide',
        '<p:sp><p:nvSpPr><p:nvPr><p:ph type="body" idx="1"/></p:nvPr></p:nvSpPr><p:txBody>',
        '<a:p><a:r><a:t>a</a:t></a:r></a:p>',
        '</p:txBody></p:sp>',
      ],
    ],
  ],
  parts: {
    slide: slideTokens,
    layout: lines(`
      <p:sp><p:nvSpPr><p:nvPr><p:ph type="body" idx="№"/></p:nvPr></p:nvSpPr></p:sp>
      <p:sp><p:nvSpPr><p:nvPr><p:ph type="body" idx="1"/></p:nvPr></p:nvSpPr><p:txBody><a:lstStyle>
      <p:sp/>
      <p:grpSp>
      <a:x/>
      <a:lvl1pPr><a:buAutoNum type="¤"/></a:lvl1pPr>
    `),
    notes: lines(`
      <p:sp><p:nvSpPr><p:nvPr><p:ph type="body"/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>¤</a:t></a:r></a:p></p:txBody></p:sp>
      <p:sp/>
    `),
    slides: ['<p:sldId r:id="s№"/>'],
    relations: relationTokens,
    chart: chartTokens,
  },
  make: (text) =>
    makePptx({
      slides: Array.from({ length: 1 + Math.min(2000, text('slides').split('<p:sldId').length - 1) }, (_, at) => ({
        title: `T${at}`,
        shapes: at === 0 ? text('slide') : '',
        relationships: [
          { id: 'l', type: 'slideLayout', target: '../slideLayouts/slideLayout1.xml' },
          { id: 'n', type: 'notesSlide', target: '../notesSlides/shared.xml' },
          { id: 'c0', type: 'chart', target: '../charts/chart1.xml' },
          ...(at === 0 ? moreRelations(text('relations')).map((each) => ({ ...each, target: `../${each.target}` })) : []),
        ],
      })),
      members: [
        {
          name: 'ppt/slideLayouts/slideLayout1.xml',
          data: `<p:sldLayout ${slideNs}><p:cSld><p:spTree>${text('layout')}</p:spTree></p:cSld></p:sldLayout>`,
        },
        {
          name: 'ppt/notesSlides/shared.xml',
          data: `<p:notes ${slideNs}><p:cSld><p:spTree>${text('notes')}</p:spTree></p:cSld></p:notes>`,
        },
        {
          name: 'ppt/charts/chart1.xml',
          data: `${chartRoot}<c:chart><c:plotArea>${text('chart')}</c:plotArea></c:chart></c:chartSpace>`,
        },
      ],
    }),
};

const odfText = lines(`
  <text:a xlink:href="http://a№">
  <text:a xlink:href="http://a">¤</text:a>
  <text:p>¤</text:p>
  <text:p>
  </text:p>
  <text:p/>
  <text:h text:outline-level="1">¤</text:h>
  <text:h text:outline-level="9">a</text:h>
  <text:p text:style-name="№">a</text:p>
  <text:p text:style-name="S0">a</text:p>
  <text:p text:style-name="¤">a</text:p>
  <text:span>¤</text:span>
  <text:span>
  <text:s text:c="1000"/>
  <text:s/>
  <text:tab/>
  <text:line-break/>
  <text:list text:style-name="L0">
  <text:list>
  </text:list>
  <text:list-item>
  </text:list-item>
  <text:list-item><text:p>a</text:p></text:list-item>
  <text:list><text:list-item><text:p>a</text:p></text:list-item></text:list>
  <text:p><text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>¤</text:p></text:note-body></text:note></text:p>
  <text:p><text:note><text:note-body>
  <draw:frame><draw:text-box><text:p>a</text:p></draw:text-box></draw:frame>
  <text:p><draw:frame><draw:text-box>
  <draw:frame><draw:object xlink:href="./Object 1"/></draw:frame>
  <text:p><draw:frame><draw:object xlink:href="./Object 1"/></draw:frame></text:p>
  <office:annotation><dc:creator>¤</dc:creator><text:p>a</text:p></office:annotation>
  <text:p>a<office:annotation><text:p>a</text:p></office:annotation></text:p>
  <text:ruby><text:ruby-base>a</text:ruby-base></text:ruby>
  <!--¤-->
  <a:x xmlns:a="№"/>
`);

const odfTables = lines(`
  <table:table>
  </table:table>
  <table:table-row>
  <table:table-row/>
  </table:table-row>
  <table:table-cell><text:p>¤</text:p></table:table-cell>
  <table:table-cell office:value="№"/>
  <table:table-row><table:table-cell><text:p>a</text:p></table:table-cell></table:table-row>
  <table:table-row table:number-rows-repeated="100"><table:table-cell><text:p>a</text:p></table:table-cell></table:table-row>
  <table:table-row table:number-rows-repeated="1048576"><table:table-cell/></table:table-row>
  <table:table-cell table:number-columns-repeated="100"><text:p>a</text:p></table:table-cell>
  <table:table-cell table:number-columns-spanned="100" table:number-rows-spanned="100"><text:p>¤</text:p></table:table-cell>
  <table:table-cell table:number-rows-spanned="100000"><text:p>a</text:p></table:table-cell>
  <table:table-cell table:number-columns-repeated="16384"/>
  <table:covered-table-cell/>
  <table:covered-table-cell table:number-columns-repeated="100"/>
`);

const odfStyles = lines(`
  <style:style style:name="№" style:parent-style-name="S0"/>
  <style:style style:name="S0" style:parent-style-name="№" style:display-name="¤"/>
  <style:style style:name="№" style:display-name="Heading 1"/>
  <text:list-style style:name="L0"><text:list-level-style-number text:level="1" style:num-format="1" style:num-prefix="¤"/></text:list-style>
  <text:list-style style:name="L0"><text:list-level-style-number text:level="1" style:num-format="¤"/></text:list-style>
  <text:list-style style:name="L0">
  <text:list-level-style-number text:level="№" style:num-format="1"/>
`);

const odfObject = lines(`
  <table:table-row><table:table-cell><text:p>¤</text:p></table:table-cell></table:table-row>
  <table:table-row><table:table-cell><text:p>a</text:p></table:table-cell></table:table-row>
  <table:table-row>
  <table:table-cell/>
`);

const odfObjectNs =
  'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:chart="urn:oasis:names:tc:opendocument:xmlns:chart:1.0"';

function odf(kind: 'text' | 'spreadsheet' | 'presentation', filename: string, body: readonly string[]): Grammar {
  return {
    filename,
    parts: { body, styles: odfStyles, object: odfObject },
    once: [
      [
        ['body', '<table:table-row>', '<table:table-cell table:number-rows-spanned="100000"/>', '</table:table-row>'],
        ['body', '', '<table:table-row/>', ''],
      ],
      [
        ['styles', '<style:style style:name="S0" style:display-name="', 'a', '"/>'],
        ['body', '', '<text:p text:style-name="S0">a</text:p>', ''],
      ],
    ],
    make: (text) =>
      makeOdf({
        kind,
        body: kind === 'spreadsheet' ? `<table:table>${text('body')}</table:table>` : text('body'),
        automaticStyles: text('styles'),
        members: [
          {
            name: 'Object 1/content.xml',
            data: `<office:document-content ${odfObjectNs}><office:body><chart:chart><table:table>${text('object')}</table:table></chart:chart></office:body></office:document-content>`,
          },
        ],
      }),
  };
}

const odpTokens = lines(`
  <draw:page>
  </draw:page>
  <draw:page><draw:frame><draw:text-box><text:p>¤</text:p></draw:text-box></draw:frame></draw:page>
  <draw:frame presentation:class="title"><draw:text-box><text:p>¤</text:p></draw:text-box></draw:frame>
  <draw:frame presentation:class="page-number">
  <draw:frame>
  <draw:g>
  <draw:custom-shape><text:p>a</text:p></draw:custom-shape>
  <presentation:notes><draw:frame><draw:text-box><text:p>¤</text:p></draw:text-box></draw:frame></presentation:notes>
`);

const epub: Grammar = {
  filename: 'a.epub',
  parts: {
    chapter: htmlTokens,
    chapters: ['<p>a</p>', '<h1>¤</h1>', '<p>№</p>'],
    nav: lines(`
      <li><a href="text/c№.xhtml">¤</a></li>
      <li><a href="text/c1.xhtml#№">a</a></li>
      <li><a href="¤">a</a></li>
      <ol><li>
      <ol>
    `),
    encryption: ['<enc:CipherReference URI="¤"/>', '<enc:CipherReference URI="a№"/>'],
  },
  make(text) {
    const small = text('chapters');
    const count = Math.min(1000, Math.floor(small.length / 100));
    const size = count === 0 ? 0 : Math.ceil(small.length / count);
    return makeEpub({
      chapters: [
        { body: text('chapter') },
        ...Array.from({ length: count }, (_, at) => ({ body: small.slice(at * size, (at + 1) * size) })),
      ],
      nav: [{ chapter: 0, label: 'a' }],
      members: [
        { name: 'META-INF/encryption.xml', data: `<a xmlns:enc="http://www.w3.org/2001/04/xmlenc#">${text('encryption')}</a>` },
        ...(text('nav') === ''
          ? []
          : [
              {
                name: 'OPS/nav.xhtml',
                data: `<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><body><nav epub:type="toc"><ol>${text('nav')}</ol></nav></body></html>`,
              },
            ]),
      ],
    });
  },
};

const pdfContent = lines(`
  (¤) Tj⏎
  (a) Tj⏎
  0 -9 Td (a) Tj⏎
  №  № Td (b) Tj⏎
  1 0 0 1 72 № Tm (a) Tj⏎
  [(a) -300 (b)] TJ⏎
  [(a) ¤] TJ⏎
  <¤> Tj⏎
  <41> Tj⏎
  (a) '⏎
  T*⏎
  BT /F1 9 Tf 72 № Td (a) Tj ET⏎
  BT⏎
  ET⏎
  /F1 № Tf⏎
  /F2 9 Tf⏎
  q⏎
  Q⏎
  1 0 0 1 0 № cm⏎
  72 № m 540 № l S⏎
  № 72 m № 540 l S⏎
  72 № 100 9 re f⏎
  72 № m⏎
  9 № l⏎
  1 2 3 4 5 № c⏎
  h⏎
  W n⏎
  S⏎
  f⏎
  /P <</MCID №>> BDC⏎
  /P BMC⏎
  EMC⏎
  /X1 Do⏎
  /X№ Do⏎
  BI /W 1 /H 1 /BPC 8 /CS /G ID a EI⏎
  BI
  %¤⏎
  ¤
  [
  ]
  <<
  (
  (()
  /¤ 
  1 
  /F1 9 Tf (a) Tj 100 0 Td (b) Tj -100 -9 Td⏎
`);

const pdf: Grammar = {
  filename: 'a.pdf',
  once: [[['content', '', '/P BMC\n', '']]],
  parts: {
    content: pdfContent,
    pages: ['BT /F1 9 Tf 72 700 Td (¤) Tj ET\n', 'BT /F1 9 Tf 72 700 Td (a№) Tj ET\n', '\n'],
    unicode: lines(`
      1 beginbfchar <41> <0041> endbfchar⏎
      1 beginbfrange <№> <ff> <0041> endbfrange⏎
      <4№> <0042>⏎
      1 beginbfrange <00> <ff> [<0041>] endbfrange⏎
      1 beginbfchar <41> <¤> endbfchar⏎
      <
      (
    `),
    widths: ['500 ', '№ '],
    objects: lines(`
      № 0 obj <</A 1>> endobj⏎
      № 0 obj (¤) endobj⏎
      № 0 obj [
      <<
      ( 
      endobj⏎
      xref⏎
      trailer <</Root 1 0 R>>⏎
      startxref⏎9⏎%%EOF⏎
      %¤⏎
      1 0 obj⏎
      stream⏎
      endstream⏎
    `),
    form: ['(a) Tj ', 'BT (a) Tj ET ', '/X1 Do ', 'q '],
    outline: ['<</Title (¤)>>', '№ 0 R '],
  },
  make: (text) => rawPdf(text),
};

const zip: Grammar = {
  filename: 'a.docx',
  parts: {
    names: [
      'PK\x03\x04',
      'PK\x05\x06',
      'PK\x01\x02',
      'PK\x07\x08',
      'PK',
      '¤',
      'PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0aa',
    ],
    members: ['a', '\u0301', '\u0301\u0316'],
  },
  make: (text) =>
    text('members') === ''
      ? Buffer.from(`PK\x03\x04${text('names')}`, 'latin1')
      : makeZip([
          { name: 'word/document.xml', data: '<a/>' },
          ...Array.from({ length: Math.min(5000, Math.ceil(text('members').length / 30_000)) }, (_, at) => ({
            name: `${at}${text('members').slice(0, 30_000)}`,
            data: 'x',
          })),
          { name: 'tail', data: text('names') },
        ]),
};

function image(filename: string, head: readonly number[], tokens: readonly string[]): Grammar {
  return {
    filename,
    parts: { bytes: tokens },
    make: (text) => Buffer.concat([Buffer.from(head), Buffer.from(text('bytes'), 'latin1')]),
  };
}

/** By the name of the format; some have several. */
const calendarTokens = lines(`
  BEGIN:VEVENT⏎
  END:VEVENT⏎
  BEGIN:VTODO⏎
  SUMMARY:¤⏎
  ATTENDEE;CN="¤":mailto:a№@example.org⏎
  DTSTART;TZID=a:20260314T150000⏎
  DESCRIPTION:¤\\n¤⏎
  CATEGORIES:a,b\\,¤⏎
  ;"¤
  ¤
  ⏎
`).map((token) => (token === '⏎' ? '⏎ ' : token));

const contactTokens = lines(`
  BEGIN:VCARD⏎
  END:VCARD⏎
  FN;ENCODING=QUOTED-PRINTABLE:=E5=BC=A0=⏎
  FN:¤⏎
  N:a;b;¤;;⏎
  item№.TEL;TYPE=a,b:№⏎
  ORG:¤;¤⏎
  NOTE:¤⏎
  =E5=⏎
  ;¤=
  ⏎
`).map((token) => (token === '⏎' ? '⏎ ' : token));

export const grammars: Readonly<Record<string, Grammar>> = {
  ...binaryOfficeGrammars,
  ...wrappedGrammars([...odfText, ...odfTables], [...odfTables, ...odfText]),
  csv: textFile('a.csv', csvTokens, {
    once: [
      ['', '"a"', ''],
      ['', ',', ''],
      ['"', '|', ',a\n'],
    ],
  }),
  docx,
  eml: {
    filename: 'a.eml',
    parts: { body: mailBody, headers: mailHeaders },
    once: [[['body', '', '--b\n\nx\n', '']], [['body', '', '--b\nContent-Transfer-Encoding: quoted-printable\n\na=\n', '']]],
    make: (text) =>
      Buffer.from(
        `From: a@b.c\nTo: d@e.f\nSubject: x\nDate: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n${text('headers')}\n\n${text('body')}`,
      ),
  },
  'eml plain': {
    filename: 'a.eml',
    parts: { body: mailBody, headers: mailHeaders },
    make: (text) => Buffer.from(`From: a@b.c\nDate: x\nMessage-ID: a\n${text('headers')}\n\n${text('body')}`),
  },
  epub,
  html: textFile('a.html', htmlTokens, {
    before: '<html><body>',
    once: [
      ['<table><tr><td><p>a</p><blockquote><p>b</p>'.repeat(60), 'x ', ''],
      ['<ul><li>'.repeat(200), '<li>a', ''],
      ['<table>', '<tr><td rowspan=65534>a', ''],
    ],
  }),
  image: image('a.jpg', [0xff, 0xd8, 0xff, 0xe0], ['\xff\xe1\0\x02', '\xff', '\xff\xd8', 'a', '\0', '\xff\xe1\0\x03a']),
  json: textFile('a.json', jsonTokens, { before: '[', after: '1]', once: [['['.repeat(200), '"a",', '1' + ']'.repeat(200)]] }),
  'json broken': textFile('a.json', jsonTokens, { before: '{"a":1}', once: [['', '\n', '{']] }),
  markdown: textFile('a.md', markdownTokens, {
    once: [
      ['', '<!--\n\n', ''],
      ['', '<table>\n\n', ''],
      ['', `<!-- image -->\n\n${'text '.repeat(45)}\n\n`, ''],
    ],
  }),
  ofd,
  odp: odf('presentation', 'a.odp', [...odpTokens, ...odfText, ...odfTables]),
  ods: odf('spreadsheet', 'a.ods', [...odfTables, ...odfText]),
  odt: odf('text', 'a.odt', [...odfText, ...odfTables]),
  pdf,
  pptx,
  rtf: textFile('a.rtf', rtfTokens, { before: '{\\rtf1\\ansi ', after: '}' }),
  source: textFile('a.py', [...textTokens, '#¤⏎', '    a⏎', 'def a№():⏎']),
  subtitles: textFile('a.vtt', subtitleTokens, { before: 'WEBVTT\n\n00:01.000 --> 00:02.000\n' }),
  text: textFile('a.txt', textTokens, { once: [['', '.', 'x']] }),
  xlsx,
  calendar: textFile('a.ics', calendarTokens, { before: 'BEGIN:VCALENDAR\n' }),
  contacts: textFile('a.vcf', contactTokens, { before: 'BEGIN:VCARD\n' }),
  feed: textFile('a.rss', [...tags('item entry title link description content author name category'), '¤', '&lt;p>', '&lt;b'], {
    before: '<rss><channel>',
  }),
  outline: textFile('a.opml', [...tags('outline title'), '<outline text="¤" xmlUrl="http://a№">', '</outline>'], {
    before: '<opml><body>',
  }),
  drawing: textFile('a.svg', [...tags('text tspan title desc style g'), '<tspan x="1" dy="2">', '¤'], { before: '<svg>' }),
  xml: textFile('a.xml', xmlDataTokens, { before: '<?xml version="1.0"?><data>', once: [['<v>x', ' ', 'y</v>']] }),
  xps,
  'xml article': textFile('a.xml', xmlArticleTokens, { before: '<?xml version="1.0"?><article>' }),
  zip,
};
