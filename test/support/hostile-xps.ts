/** XPS files that mean harm: bombs, loops, drawings in drawings, pieces and fonts that lie. */
import type { HostileFile } from './hostile-file.ts';
import { repeatedDeflate } from './hostile-office.ts';
import { hiddenFont, makeFont, makeXps, xpsGlyphs } from './xps-writer.ts';

export function hostileXpsFiles(): HostileFile[] {
  const text = xpsGlyphs({ x: 80, y: 100, text: 'boom boom boom' });
  const resources = (inside: string): string =>
    `<FixedPage.Resources><ResourceDictionary>${inside}</ResourceDictionary></FixedPage.Resources>`;
  const use =
    '<Path Data="M 0,0 h 9 v 9 z"><Path.Fill><VisualBrush Visual="{StaticResource v}" Viewbox="0,0,1,1" Viewport="0,0,9,9"/></Path.Fill></Path>';
  const page = (name: number): string => `Documents/1/Pages/${name}.fpage`;
  const document = 'Documents/1/FixedDoc.fdoc';
  return [
    {
      name: '1-gb-page.xps',
      bytes: () =>
        makeXps({
          pages: [['x']],
          members: [
            {
              name: page(1),
              data: '',
              packed: repeatedDeflate(Buffer.from(text.repeat(4000)), 1024, Buffer.from('<FixedPage Width="9" Height="9">')),
              claims: { bytes: 100 },
            },
          ],
        }),
      ends: /^limit_exceeded: /,
      quick: { ratioMax: 20 },
    },
    {
      name: 'one-page-10000-times.xps',
      bytes: () =>
        makeXps({
          pages: [['x']],
          members: [
            { name: document, data: `<FixedDocument>${'<PageContent Source="Pages/1.fpage"/>'.repeat(10_000)}</FixedDocument>` },
            { name: page(1), data: `<FixedPage Width="794" Height="1123">${text.repeat(1000)}</FixedPage>` },
          ],
        }),
      ends: 'read',
    },
    {
      name: 'a-sequence-in-itself.xps',
      bytes: () =>
        makeXps({
          pages: [['x']],
          members: [
            {
              name: 'FixedDocSeq.fdseq',
              data: `<FixedDocumentSequence>${'<DocumentReference Source="FixedDocSeq.fdseq"/>'.repeat(1000)}</FixedDocumentSequence>`,
            },
          ],
        }),
      ends: /^corrupt: /,
    },
    {
      name: 'a-drawing-in-itself.xps',
      bytes: () => makeXps({ pages: [resources(`<Canvas x:Key="v">${text}${use}</Canvas>`) + text + use] }),
      ends: 'read',
    },
    {
      name: 'drawings-times-drawings.xps',
      bytes: () => makeXps({ pages: [resources(`<Canvas x:Key="v">${use.repeat(30)}</Canvas>`) + text + use.repeat(30)] }),
      ends: /^limit_exceeded: One page draws more than 100000 objects of repeated drawings/,
    },
    {
      name: 'one-drawing-with-long-text-10000-times.xps',
      bytes: () =>
        makeXps({
          stored: true,
          pages: [
            resources(`<Canvas x:Key="v">${xpsGlyphs({ x: 1, y: 9, text: 'boom '.repeat(20_000) })}</Canvas>`) + use.repeat(10_000),
          ],
        }),
      ends: /^limit_exceeded: .*MAX_CHARACTERS/,
      quick: { charactersMax: 5_000_000 },
    },
    {
      name: 'one-long-geometry-10000-times.xps',
      bytes: () =>
        makeXps({
          stored: true,
          pages: [
            resources(`<PathGeometry x:Key="g" Figures="M 0,0 ${'1 '.repeat(500_000)}"/>`) +
              text +
              '<Path Stroke="#ff000000" Data="{StaticResource g}"/>'.repeat(10_000),
          ],
        }),
      ends: 'read',
    },
    {
      name: 'one-drawing-with-a-long-path-10000-times.xps',
      bytes: () =>
        makeXps({
          stored: true,
          pages: [
            resources(`<Canvas x:Key="v"><Path Stroke="#ff000000" Data="M 0,0 ${'1 '.repeat(500_000)}"/></Canvas>`) +
              text +
              use.repeat(10_000),
          ],
        }),
      ends: 'read',
    },
    {
      name: 'a-deep-drawing-in-itself.xps',
      bytes: () =>
        makeXps({
          pages: [resources(`<Canvas x:Key="v">${'<Canvas>'.repeat(950)}${use}${'</Canvas>'.repeat(950)}</Canvas>`) + text + use],
        }),
      ends: /^(?:read|limit_exceeded: .*MAX_NESTING)/,
      quick: { depthMax: 1000 },
    },
    {
      name: 'one-key-10000-times-with-a-dictionary-each.xps',
      bytes: () =>
        makeXps({
          pages: [
            text +
              Array.from(
                { length: 10_000 },
                (_, at) =>
                  `<Canvas><Canvas.Resources><ResourceDictionary Source="/d${at % 200}.dict"/></Canvas.Resources></Canvas>`,
              ).join(''),
          ],
          members: Array.from({ length: 200 }, (_, at) => ({
            name: `d${at}.dict`,
            data: `<ResourceDictionary>${'<MatrixTransform x:Key="k" Matrix="1,0,0,1,0,0"/>'.repeat(100)}</ResourceDictionary>`,
          })),
        }),
      ends: 'read',
    },
    {
      name: 'deep-canvases.xps',
      bytes: () => makeXps({ pages: ['<Canvas>'.repeat(5000)] }),
      ends: /^limit_exceeded: .*MAX_NESTING/,
    },
    {
      name: 'endless-clusters.xps',
      bytes: () =>
        makeXps({
          stored: true,
          pages: [xpsGlyphs({ x: 80, y: 100, text: 'clusters of text', more: { Indices: '(9999:9999)1;'.repeat(100_000) } })],
        }),
      ends: 'read',
    },
    {
      name: '100000-pieces.xps',
      bytes: () => makeXps({ pages: [['x y']], members: Array.from({ length: 20_000 }, (_, at) => piece(at)) }),
      ends: /^limit_exceeded: .*MAX_ARCHIVE_ENTRIES/,
    },
    { name: 'pieces-out-of-order.xps', bytes: () => makeXps({ pages: [['x y']], members: [piece(9), piece(3)] }), ends: 'read' },
    { name: 'fonts-that-lie.xps', bytes: () => makeXps({ pages: [fontPage()], members: lyingFonts() }), ends: 'read' },
    {
      name: 'half.xps',
      bytes: () => {
        const whole = makeXps({ pages: Array.from({ length: 50 }, () => ['some text']) });
        return whole.subarray(0, whole.length / 3);
      },
      ends: /^(?:corrupt|read)/,
    },
  ];
}

function piece(at: number): { name: string; data: string } {
  return { name: `Documents/1/Pages/7.fpage/[${at}].piece`, data: '<x/>' };
}

const fontCount = 40;

function fontPage(): string {
  return Array.from({ length: fontCount }, (_, at) =>
    xpsGlyphs({ x: 80, y: 50 + at * 20, text: 'words', more: { FontUri: `/Fonts/${at}.ttf` } }),
  ).join('');
}

/** Each has another byte of its directory or its tables set to 0xff. */
function lyingFonts(): { name: string; data: Buffer }[] {
  const font = makeFont({ widths: Object.fromEntries(Array.from('words', (letter) => [letter, 500])) });
  const fonts = Array.from({ length: fontCount }, (_, at) => {
    const data = Buffer.from(font);
    data.fill(0xff, 4 + at * 4, 8 + at * 4);
    return { name: `Fonts/${at}.ttf`, data };
  });
  return [...fonts, hiddenFont(font.subarray(0, 40))];
}
