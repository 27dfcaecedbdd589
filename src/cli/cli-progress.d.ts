/** As much of cli-progress 3 as is used here; it brings no types of its own. */
declare module 'cli-progress' {
  export class SingleBar {
    constructor(options: object, preset?: object);
    start(total: number, start: number, payload?: object): void;
    stop(): void;
    increment(step?: number, payload?: object): void;
    update(value: number, payload?: object): void;
  }
  export class MultiBar {
    constructor(options: object, preset?: object);
    create(total: number, start: number, payload?: object): SingleBar;
    remove(bar: SingleBar): boolean;
    /** Prints above the bars; the text ends with a new line. */
    log(text: string): void;
    stop(): void;
  }
  export const Presets: Readonly<Record<'shades_grey' | 'rect' | 'legacy', object>>;
}
