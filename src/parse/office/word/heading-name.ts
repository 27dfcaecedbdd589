/**
 * Tells headings by the names of their styles. Word keeps the built-in names in English whatever its own language; LibreOffice,
 * WPS and converters write the name that their user sees.
 */

/** "Heading" where a program's user sees it, by the programs' own translations. */
const headingWords = [
  'heading',
  '标题',
  '標題',
  '見出し',
  '제목',
  'überschrift',
  'titre',
  'título',
  'titulo',
  'encabezado',
  'titolo',
  'intestazione',
  'заголовок',
  'nagłówek',
  'kop',
  'koptekst',
  'rubrik',
  'overskrift',
  'otsikko',
  'başlık',
  'nadpis',
  'επικεφαλίδα',
  'címsor',
  'titlu',
  'naslov',
  'заглавие',
  'tiêu đề',
  'đề mục',
  'หัวเรื่อง',
  'عنوان',
  'כותרת',
  'judul',
  'antraštė',
  'virsraksts',
  'pealkiri',
];
const headingPattern = new RegExp(`^(?:${headingWords.join('|')})[ _-]*([1-9])(?:$|[^0-9])`, 'i');
const titlePattern =
  /^(?:title|titel|titre|título|titulo|titolo|название|заголовок|tytuł|标题|標題|タイトル|表題|제목|titlu|título principal|naslov|otsikko|tittel|název|cím|başlık)$/i;

/** No name of a style is as long. */
const nameCharactersMax = 255;

/** 0 for a document's title, 1–9 for headings; null for other styles. */
export function headingLevelOfName(name: string): number | null {
  const plain = name.trim().slice(0, nameCharactersMax).normalize('NFC');
  if (titlePattern.test(plain)) return 0;
  const level = headingPattern.exec(plain)?.[1];
  return level === undefined ? null : Number(level);
}
