/** What a client is told of an error. */
import { AppError } from '../errors.ts';
import type { Logger } from '../logger.ts';

/** The error's own sentence where it was expected; of a fault of ours no more than that there was one: the log has the rest. */
export function sentenceFor(error: unknown, logger: Logger): string {
  if (error instanceof AppError) return error.message;
  logger.error({ err: error }, 'an MCP call failed');
  return 'Something went wrong on the server; its log has the details.';
}
