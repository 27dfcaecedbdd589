/** What OFD files are made of, for files that repeat it. */
import { makeOfd } from '../ofd-writer.ts';
import type { Grammar } from './grammars.ts';

const objectTokens = [
  '<ofd:TextObject ID="№" Boundary="20 №e-3 100 9" Size="4"><ofd:TextCode X="0" Y="4" DeltaX="g 2 4">¤</ofd:TextCode></ofd:TextObject>',
  '<ofd:TextObject Boundary="20 30 100 9" Size="4"><ofd:TextCode X="0" Y="4">a</ofd:TextCode></ofd:TextObject>',
  '<ofd:TextObject Boundary="№ 30 100 9" Size="4"><ofd:TextCode>a</ofd:TextCode></ofd:TextObject>',
  '<ofd:TextObject Boundary="20 30 100 9" Size="4"><ofd:TextCode DeltaX="¤" DeltaY="g 9 1">aaaa</ofd:TextCode></ofd:TextObject>',
  '<ofd:TextObject Boundary="20 30 100 9" Size="4"><ofd:TextCode DeltaX="g 9 g 9">aaaa</ofd:TextCode>',
  '<ofd:TextCode X="№" Y="9">b</ofd:TextCode>',
  '</ofd:TextObject>',
  '<ofd:PathObject Boundary="20 № 100 9"><ofd:AbbreviatedData>M 0 0 L 100 0</ofd:AbbreviatedData></ofd:PathObject>',
  '<ofd:PathObject Boundary="№ 20 9 100"><ofd:AbbreviatedData>M 0 0 L 0 100</ofd:AbbreviatedData></ofd:PathObject>',
  '<ofd:PathObject Boundary="0 0 9 9"><ofd:AbbreviatedData>M 0 0 ¤</ofd:AbbreviatedData></ofd:PathObject>',
  '<ofd:CompositeObject ResourceID="u" Boundary="0 0 9 9"/>',
  '<ofd:ImageObject ResourceID="m" Boundary="0 0 9 9"/>',
  '<ofd:PageBlock>',
  '</ofd:PageBlock>',
  '<!--¤-->',
];

export const ofd: Grammar = {
  filename: 'a.ofd',
  parts: {
    objects: objectTokens,
    run: ['a', '甲', '№ '],
    template: ['<ofd:TextObject Boundary="20 30 100 9" Size="4"><ofd:TextCode>t</ofd:TextCode></ofd:TextObject>'],
    annotations: [
      '<ofd:Annot Creator="¤"><ofd:Remark>¤</ofd:Remark></ofd:Annot>',
      '<ofd:Annot><ofd:Appearance Boundary="1 1 9 9"><ofd:TextObject Boundary="2 3 9 9" Size="4"><ofd:TextCode>a</ofd:TextCode></ofd:TextObject></ofd:Appearance></ofd:Annot>',
    ],
    tags: ['<Name№><ObjectRef>1</ObjectRef></Name№>', '<Name>¤</Name>', '<Name>', '</Name>'],
    outlines: ['<ofd:OutlineElem Title="¤"/>', '<ofd:OutlineElem Title="a">', '</ofd:OutlineElem>'],
    resources: [
      '<ofd:Fonts><ofd:Font ID="№" FontName="¤"/></ofd:Fonts>',
      '<ofd:MultiMedias><ofd:MultiMedia ID="№"><ofd:MediaFile>a¤</ofd:MediaFile></ofd:MultiMedia></ofd:MultiMedias>',
    ],
  },
  make: (text) =>
    makeOfd({
      pages: [
        {
          head: '<ofd:Template TemplateID="t"/>',
          objects: `<ofd:TextObject Boundary="20 20 9 9" Size="4"><ofd:TextCode DeltaX="g 9 4">start${text('run')}</ofd:TextCode></ofd:TextObject>${text('objects')}`,
          annotations: text('annotations'),
        },
      ],
      templates: { t: text('template') },
      outlines: `<ofd:Outlines>${text('outlines')}</ofd:Outlines>`,
      resources: text('resources'),
      tags: `<root>${text('tags')}</root>`,
    }),
};
