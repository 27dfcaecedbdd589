/** What the doctor has to say of one thing that it looked at. */
export type Check = {
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'problem';
  /** What was found and, unless it is fine, what to do. */
  readonly sentence: string;
};
