/** What went wrong with a request, as its reader should read it: in the page's language, with the reason where there is one. */
import { ApiError } from './api.ts';
import { sentences } from './language.ts';

/** One sentence; where the page has words of its own for the server's code, these, else the server's. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof ApiError)) return sentences.value.problems.unexpected;
  if (error.status === 0) return sentences.value.problems.unreachable;
  return sentences.value.problem(error.code ?? '', error.message);
}
