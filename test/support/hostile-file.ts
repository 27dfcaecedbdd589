/** Files that nobody makes by accident, and how each must end. */
import type { ParseLimits } from '../../src/parse/parser.ts';

export type HostileFile = {
  readonly name: string;
  /** Made when asked for: all of them together are some hundred megabytes. */
  readonly bytes: () => Uint8Array;
  /** What must become of it: a pattern of `code: sentence`, or that it is read. */
  readonly ends: RegExp | 'read';
  /** Limits under which it ends in the same way, but sooner. */
  readonly quick?: Partial<ParseLimits>;
};

/** Whether `said` (`read`, or `code: sentence`) is how the file must end. */
export function endsRight(file: HostileFile, said: string): boolean {
  return file.ends === 'read' ? said === 'read' : file.ends.test(said);
}
