/** The processor time of this thread: what a document may use is counted by it, since a busy machine stretches every other time. */

/** Milliseconds that this thread has computed since it began. Cost: 2 µs. */
export function cpuTimeMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
