/** How a move shows itself while it runs: a bar on a terminal, a line for each tenth elsewhere, nothing with --json. */
import { Presets, SingleBar } from 'cli-progress';

export interface MoveProgress {
  /** A stretch of the way, of so many steps. */
  begin(stage: string, steps: number): void;
  step(): void;
  note(sentence: string): void;
  end(): void;
}

export const silentProgress: MoveProgress = { begin() {}, step() {}, note() {}, end() {} };

/** For logs and pipes. */
export function lineProgress(print: (line: string) => void): MoveProgress {
  let [name, total, count] = ['', 0, 0];
  return {
    begin(stage, steps) {
      [name, total, count] = [stage, steps, 0];
    },
    step() {
      const before = Math.floor((count / total) * 10);
      count += 1;
      if (Math.floor((count / total) * 10) > before) print(`${name} ${count}/${total}`);
    },
    note: print,
    end() {},
  };
}

export function barProgress(stream: NodeJS.WritableStream): MoveProgress {
  const format = '{bar} {percentage}% {stage} {value}/{total}';
  let bar: SingleBar | null = null;
  return {
    begin(stage, steps) {
      bar?.stop();
      bar = new SingleBar({ stream, clearOnComplete: true, hideCursor: true, format, barsize: 24 }, Presets.shades_grey);
      bar.start(steps, 0, { stage });
    },
    step: () => bar?.increment(),
    note: (sentence) => stream.write(`${sentence}\n`),
    end: () => bar?.stop(),
  };
}
