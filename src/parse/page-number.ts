/** Lines at the edge of a page that count pages, or have something in them that does. */

/** Longer lines say something else. */
const charactersMax = 200;

/** Whether a line is a page's number (`7`, `- iv -`, `Page 3 of 9`, `第 3 页`) and nothing else. */
export function isPageNumber(text: string): boolean {
  if (text.length > charactersMax) return false;
  return /^[\s\-–—|/]*(?:page|seite|p\.|第)?\s*(?:\d{1,5}|[ivxlc]{1,7})\s*(?:(?:\/|of|von|共)\s*\d{1,5})?\s*页?[\s\-–—|]*$/i.test(
    text,
  );
}

/** `Page 3 of 9`, `第 3 页`, `3쪽`; `| 3` and `3 |` at the end of a line and at its start. No other number is a page's: it may be an order's. */
const counted =
  /(?:\b(?:page|seite|p[aá]gina|p[aá]g\.?|pp?\.|стр\.?|страница)|第)\s*\d{1,5}(?:\s*(?:\/|of|von|de|из|共)\s*\d{1,5})?(?:\s*[页頁])?(?![\p{L}\p{N}])|\d{1,5}\s*(?:[页頁쪽]|ページ|페이지)|(?<=[|·•]\s*)\d{1,5}\s*$|^\s*\d{1,5}(?=\s*[|·•])/giu;

/** A head or foot without the numbers in it that can only be pages': the same on each page of which nothing else differs. */
export function withoutPageNumbers(text: string): string {
  return text.slice(0, charactersMax).replace(counted, '#') + text.slice(charactersMax);
}
