/** Options whose value is JSON, such as `--metadata` and `--filter`: read before anything is sent, so that a slip of the shell's quotes is told at once. */
import { InvalidArgumentError } from 'commander';

/** The JSON object of an option's text. @throws InvalidArgumentError with an example. */
export function jsonObject(example: string): (text: string) => object {
  return (text) => {
    const value = parsed(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
    throw new InvalidArgumentError(`It must be a JSON object in quotes, such as '${example}'.`);
  };
}

/** The same, or null. @throws InvalidArgumentError */
export function jsonObjectOrNull(example: string): (text: string) => object | null {
  return (text) => (text.trim() === 'null' ? null : jsonObject(example)(text));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
