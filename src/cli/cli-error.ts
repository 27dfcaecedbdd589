/** How the command ends when it cannot do what was asked: a sentence for the person, a code for the script that ran it. */

/** Exit codes; 0 is "all of it done". Those above 64 follow sysexits.h: 69 what is kept cannot be used now, 75 trying again later makes sense. */
export const exitCodes = {
  failed: 1,
  usage: 2,
  refused: 3,
  settings: 78,
  unavailable: 69,
  unreachable: 75,
  interrupted: 130,
} as const;

/** Ends the command with its sentence on standard error and this exit code; no stack. */
export class CliError extends Error {
  readonly exitCode: number;

  constructor(sentence: string, exitCode: number = exitCodes.failed) {
    super(sentence);
    this.name = 'CliError';
    this.exitCode = exitCode;
  }
}
