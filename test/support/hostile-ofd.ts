/** OFD files that mean harm: bombs, loops, steps that never end, seals and attachments that lie. */
import type { HostileFile } from './hostile-file.ts';
import { repeatedDeflate } from './hostile-office.ts';
import { der, makeOfd, makeSeal, ofdText } from './ofd-writer.ts';

export function hostileOfdFiles(): HostileFile[] {
  const page = '<ofd:Page xmlns:ofd="http://www.ofdspec.org/2016"><ofd:Content><ofd:Layer>';
  const text = ofdText({ x: 20, y: 30, text: 'boom boom boom' });
  const unit = (inside: string): string =>
    `<ofd:CompositeGraphicUnits><ofd:CompositeGraphicUnit ID="u"><ofd:Content>${inside}</ofd:Content></ofd:CompositeGraphicUnit></ofd:CompositeGraphicUnits>`;
  const use = '<ofd:CompositeObject ResourceID="u" Boundary="0 0 9 9"/>';
  const pageOf = (objects: string) => ({ objects });
  return [
    {
      name: '1-gb-page.ofd',
      bytes: () =>
        makeOfd({
          pages: [['x']],
          members: [
            {
              name: 'Doc_0/Pages/Page_0/Content.xml',
              data: '',
              packed: repeatedDeflate(Buffer.from(text.repeat(4000)), 1024, Buffer.from(page)),
              claims: { bytes: 100 },
            },
          ],
        }),
      ends: /^limit_exceeded: /,
      quick: { ratioMax: 20 },
    },
    {
      name: 'endless-steps.ofd',
      bytes: () =>
        makeOfd({
          pages: [pageOf(ofdText({ x: 20, y: 30, text: 'steps', deltaX: 'g 999999999999999 0.1', deltaY: 'g -1 NaN g' }))],
        }),
      ends: 'read',
    },
    {
      name: 'unit-in-itself.ofd',
      bytes: () => makeOfd({ pages: [pageOf(text + use)], resources: unit(text + use) }),
      ends: 'read',
    },
    {
      name: 'deep-unit-in-itself.ofd',
      bytes: () =>
        makeOfd({
          pages: [pageOf(text + use)],
          resources: unit(`${'<ofd:PageBlock>'.repeat(950)}${use}${'</ofd:PageBlock>'.repeat(950)}`),
        }),
      ends: /^(?:read|limit_exceeded: .*MAX_NESTING)/,
      quick: { depthMax: 1000 },
    },
    {
      name: 'units-times-units.ofd',
      bytes: () => makeOfd({ pages: [pageOf(text + use.repeat(30))], resources: unit(text + use.repeat(30)) }),
      ends: /^limit_exceeded: One page draws more than 100000 objects/,
    },
    {
      name: 'deep-blocks.ofd',
      bytes: () => makeOfd({ pages: [pageOf('<ofd:PageBlock>'.repeat(5000))] }),
      ends: /^limit_exceeded: .*MAX_NESTING/,
    },
    {
      name: 'one-template-on-2000-pages.ofd',
      bytes: () =>
        makeOfd({
          templates: { t: ofdText({ x: 20, y: 60, text: 'template '.repeat(200) }) },
          pages: Array.from({ length: 2000 }, () => ({ head: '<ofd:Template TemplateID="t"/>'.repeat(50), objects: text })),
        }),
      // Of 3.6 million characters; named fifty times, they were 72 million.
      ends: 'read',
      quick: { charactersMax: 5_000_000 },
    },
    {
      name: '20-templates-on-500-pages.ofd',
      bytes: () =>
        makeOfd({
          templates: Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`t${at}`, text.repeat(2000)])),
          pages: Array.from({ length: 500 }, () => ({
            head: Array.from({ length: 20 }, (_, at) => `<ofd:Template TemplateID="t${at}"/>`).join(''),
            objects: text,
          })),
        }),
      ends: /^limit_exceeded: .*MAX_CHARACTERS|^limit_exceeded: The pages draw more than 1000000 objects/,
      quick: { charactersMax: 500_000 },
    },
    {
      name: 'lying-seal.ofd',
      bytes: () => makeOfd({ pages: [['x y']], seal: Buffer.from([0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x30, 0x80, 0x30, 0x80]) }),
      ends: 'read',
    },
    { name: 'deep-seal.ofd', bytes: () => makeOfd({ pages: [['x y']], seal: deepSeal() }), ends: 'read' },
    { name: 'seal-in-seal.ofd', bytes: () => sealInSeal(12), ends: 'read' },
    {
      name: 'attached-to-itself.ofd',
      bytes: () =>
        makeOfd({
          pages: [['x y']],
          attachments: [
            { name: 'a', file: '../../OFD.xml', data: 'x' },
            { name: 'b', file: 'b.xml', data: '<a>b</a>' },
          ],
        }),
      ends: 'read',
    },
    {
      name: 'nested-attachments.ofd',
      bytes: () =>
        Array.from({ length: 12 }).reduce<Buffer>(
          (inner) => makeOfd({ pages: [['x y']], attachments: [{ name: 'in', file: 'in.ofd', data: inner }] }),
          makeOfd({ pages: [['innermost']] }),
        ),
      ends: 'read',
    },
    {
      name: 'half.ofd',
      bytes: () => half(makeOfd({ pages: Array.from({ length: 50 }, () => ['some text']) })),
      ends: /^(?:corrupt|read)/,
    },
  ];
}

function half(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.length / 3);
}

function deepSeal(): Buffer {
  let seal = der(0x04, Buffer.from('x'));
  for (let level = 0; level < 5000; level++) seal = der(0x30, seal);
  return seal;
}

/** A stamp whose picture has a stamp whose picture … */
function sealInSeal(levels: number): Buffer {
  let file = makeOfd({ pages: [['innermost']] });
  for (let level = 0; level < levels; level++)
    file = makeOfd({ pages: [['x y']], seal: makeSeal(`level ${level}`, { kind: 'ofd', data: file }) });
  return file;
}
