/** What XPS files are made of, for files that repeat it. */
import { makeFont, makeXps } from '../xps-writer.ts';
import type { Grammar } from './grammars.ts';

const objectTokens = [
  '<Glyphs OriginX="80" OriginY="№e-3" FontRenderingEmSize="16" FontUri="/a.ttf" UnicodeString="¤"/>',
  '<Glyphs OriginX="80" OriginY="100" FontRenderingEmSize="16" FontUri="/a.ttf" UnicodeString="a"/>',
  '<Glyphs OriginX="№" OriginY="100" FontRenderingEmSize="16" UnicodeString="a"/>',
  '<Glyphs OriginX="80" OriginY="100" FontRenderingEmSize="16" FontUri="/a№.ttf" UnicodeString="a"/>',
  '<Glyphs OriginX="80" OriginY="100" FontRenderingEmSize="16" UnicodeString="aaaa" Indices="¤"/>',
  '<Glyphs OriginX="80" OriginY="100" FontRenderingEmSize="16" FontUri="/a.ttf" Indices="1;(9:9)1;1;1"/>',
  '<Glyphs OriginX="80" OriginY="№e-3" FontRenderingEmSize="16" UnicodeString="a" FixedPage.NavigateUri="https://a.b/№"/>',
  '<Glyphs OriginX="80" OriginY="100" FontRenderingEmSize="16" UnicodeString="a b" FixedPage.NavigateUri="https://a.b/¤"/>',
  '<Glyphs OriginX="80" OriginY="100" FontRenderingEmSize="16" BidiLevel="1" UnicodeString="¤"/>',
  '<Path Stroke="#ff000000" Data="M 80,№e-3 L 400,№e-3"/>',
  '<Path Fill="#ff000000" Data="M №,80 h 1 v 400 h -1 z"/>',
  '<Path Fill="#ff000000" Data="M 0,0 ¤"/>',
  '<Path Data="{StaticResource g}" Fill="{StaticResource b}"/>',
  '<Path Data="{StaticResource g}" Stroke="#ff000000"/>',
  '<Path Data="M 0,0 h 9 v 9 z"><Path.Fill><ImageBrush ImageSource="a№.png"/></Path.Fill></Path>',
  '<Path Data="M 0,0 h 9 v 9 z"><Path.Fill><VisualBrush Visual="{StaticResource v}" Viewbox="0,0,1,1" Viewport="0,0,9,9"/></Path.Fill></Path>',
  '<Canvas>',
  '<Canvas RenderTransform="1,0,0,1,№e-3,1">',
  '</Canvas>',
  '<AlternateContent><Fallback>',
  '</Fallback></AlternateContent>',
  '<!--¤-->',
];

const resourceTokens = [
  '<PathGeometry x:Key="№" Figures="¤"/>',
  '<PathGeometry x:Key="g" Figures="M 0,0 ¤"/>',
  '<PathGeometry x:Key="g"><PathFigure StartPoint="0,0"><PolyLineSegment Points="¤"/></PathFigure></PathGeometry>',
  '<VisualBrush x:Key="b" Visual="{StaticResource v}"/>',
  '<Canvas x:Key="v"><Glyphs OriginX="0" OriginY="0" FontRenderingEmSize="1" UnicodeString="a"/></Canvas>',
  '<MatrixTransform x:Key="№" Matrix="1,0,0,1,0,0"/>',
];

export const xps: Grammar = {
  filename: 'a.xps',
  parts: {
    objects: objectTokens,
    resources: resourceTokens,
    outline: ['<OutlineEntry OutlineLevel="№" Description="¤"/>', '<OutlineEntry Description="a"/>'],
  },
  make: (text) =>
    makeXps({
      pages: [
        `<FixedPage.Resources><ResourceDictionary>${text('resources')}</ResourceDictionary></FixedPage.Resources>` +
          `<Glyphs OriginX="80" OriginY="80" FontRenderingEmSize="16" UnicodeString="start"/>${text('objects')}`,
      ],
      outline: text('outline'),
      members: [{ name: 'a.ttf', data: makeFont({ widths: { a: 500 } }) }],
    }),
};
