/** A schema whose check is a function of ours that says in a sentence what is wrong, and how it is described. */
import { z } from 'zod';
import { AppError } from '../../errors.ts';

/** What `read` makes of it; the sentence of an AppError that it throws is said of this member. */
export function checkedBy<O, I>(input: z.ZodType<unknown, I>, read: (value: never) => O): z.ZodType<O, I> {
  return input.transform((value, context) => {
    try {
      return read(value as never);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });
}

/** For `meta`: described as this, whatever the schema itself would say. */
export function describedAs(shape: object): { override: (context: { jsonSchema: object }) => void } {
  return {
    override({ jsonSchema }) {
      const { description, example } = jsonSchema as { description?: string; example?: unknown };
      for (const key of Object.keys(jsonSchema)) delete (jsonSchema as Record<string, unknown>)[key];
      Object.assign(jsonSchema, shape, description === undefined ? {} : { description }, example === undefined ? {} : { example });
    },
  };
}
