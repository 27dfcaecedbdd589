/** The namespaces of Office Open XML (ECMA-376), in both their spellings: transitional and strict. */
import type { NamespaceTable } from '../containers/xml.ts';

const transitional = 'http://schemas.openxmlformats.org';
const strict = 'http://purl.oclc.org/ooxml';

/** Prefixes as office programs mostly write them; `x` is SpreadsheetML. */
export const officeNamespaces: NamespaceTable = {
  ...both('w', 'wordprocessingml/2006/main', 'wordprocessingml/main'),
  ...both('x', 'spreadsheetml/2006/main', 'spreadsheetml/main'),
  ...both('p', 'presentationml/2006/main', 'presentationml/main'),
  ...both('a', 'drawingml/2006/main', 'drawingml/main'),
  ...both('c', 'drawingml/2006/chart', 'drawingml/chart'),
  ...both('dgm', 'drawingml/2006/diagram', 'drawingml/diagram'),
  ...both('wp', 'drawingml/2006/wordprocessingDrawing', 'drawingml/wordprocessingDrawing'),
  ...both('xdr', 'drawingml/2006/spreadsheetDrawing', 'drawingml/spreadsheetDrawing'),
  ...both('pic', 'drawingml/2006/picture', 'drawingml/picture'),
  ...both('m', 'officeDocument/2006/math', 'officeDocument/math'),
  ...both('r', 'officeDocument/2006/relationships', 'officeDocument/relationships'),
  [`${transitional}/package/2006/relationships`]: 'rel',
  [`${transitional}/package/2006/content-types`]: 'ct',
  [`${transitional}/package/2006/metadata/core-properties`]: 'cp',
  [`${transitional}/markup-compatibility/2006`]: 'mc',
  'http://purl.org/dc/elements/1.1/': 'dc',
  'http://schemas.microsoft.com/office/word/2010/wordprocessingShape': 'wps',
  'http://schemas.microsoft.com/office/word/2010/wordml': 'w14',
  'http://schemas.microsoft.com/office/drawing/2008/diagram': 'dsp',
  'http://schemas.microsoft.com/office/drawing/2010/main': 'a14',
  'http://schemas.microsoft.com/office/drawing/2014/chartex': 'cx',
  'http://schemas.microsoft.com/office/powerpoint/2018/8/main': 'p188',
  'http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments': 'tc',
  'urn:schemas-microsoft-com:vml': 'v',
  'urn:schemas-microsoft-com:office:office': 'o',
};

function both(prefix: string, transitionalPath: string, strictPath: string): NamespaceTable {
  return { [`${transitional}/${transitionalPath}`]: prefix, [`${strict}/${strictPath}`]: prefix };
}
