/** The processor time of this thread: what a document may use is counted by it, since a busy machine stretches every other time. */

/** Milliseconds that this thread has computed since it began. Cost: 2 µs. */
export function cpuTimeMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/**
 * Starts now; whether this thread has computed for more than `msMax` since. No thread computes longer than a clock runs, so the processor is
 * asked only when that has: a clock costs a hundredth, and this is asked whenever PDFium reads 512 bytes.
 */
export function cpuTimer(msMax: number): () => boolean {
  const [computed, began] = [cpuTimeMs(), performance.now()];
  return () => performance.now() - began > msMax && cpuTimeMs() - computed > msMax;
}
