/** Problems as OpenAI's clients expect them: `{error: {message, type, code, param}}`. */
import { z } from 'zod';
import type { ProblemShape } from '../routes/route.ts';

/** What their clients read. */
export const openAiProblemSchema = z
  .strictObject({ error: z.strictObject({ message: z.string(), type: z.string(), code: z.string(), param: z.null() }) })
  .meta({ id: 'OpenAiError' });

const types: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
};

export const openAiProblem: ProblemShape = ({ status, code, detail }) => {
  // Their API knows no 422: what is wrong with a request is 400.
  const shown = status === 422 ? 400 : status;
  const type = types[shown] ?? (shown >= 500 ? 'server_error' : 'invalid_request_error');
  return {
    status: shown,
    body: { error: { message: detail, type, code: code === 'unauthorized' ? 'invalid_api_key' : code, param: null } },
  };
};
