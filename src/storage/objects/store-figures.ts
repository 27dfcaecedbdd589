/** Counts what an object store is asked, for the metrics. */
import type { StoreFigures, StoreOperation } from '../engine.ts';

export type FigureCounter = {
  asked(operation: StoreOperation, outcome: string, seconds: number): void;
  sent(bytes: number): void;
  received(bytes: number): void;
  figures(): StoreFigures;
};

/** Memory: a number for each operation and outcome. */
export function createFigureCounter(): FigureCounter {
  const counts = new Map<StoreOperation, Map<string, number>>();
  const seconds = new Map<StoreOperation, number>();
  let bytesSent = 0;
  let bytesReceived = 0;
  return {
    asked(operation, outcome, took) {
      const outcomes = counts.get(operation) ?? new Map<string, number>();
      counts.set(operation, outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1));
      seconds.set(operation, (seconds.get(operation) ?? 0) + took);
    },
    sent: (bytes) => void (bytesSent += bytes),
    received: (bytes) => void (bytesReceived += bytes),
    figures: () => ({
      requests: [...counts].flatMap(([operation, outcomes]) =>
        [...outcomes].map(([outcome, count]) => ({ operation, outcome, count })),
      ),
      seconds: [...seconds].map(([operation, took]) => ({ operation, seconds: took })),
      bytesSent,
      bytesReceived,
    }),
  };
}
