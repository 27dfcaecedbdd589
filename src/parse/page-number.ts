/** Lines at the edge of a page that only count pages. */

/** Longer lines say something else. */
const charactersMax = 200;

/** Whether a line is a page's number (`7`, `- iv -`, `Page 3 of 9`, `第 3 页`) and nothing else. */
export function isPageNumber(text: string): boolean {
  if (text.length > charactersMax) return false;
  return /^[\s\-–—|/]*(?:page|seite|p\.|第)?\s*(?:\d{1,5}|[ivxlc]{1,7})\s*(?:(?:\/|of|von|共)\s*\d{1,5})?\s*页?[\s\-–—|]*$/i.test(
    text,
  );
}
