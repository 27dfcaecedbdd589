/** Bounds how long nothing may come of something that may take long as a whole. */

export type SilenceWatch = {
  /** Aborts with a `TimeoutError` when nothing was heard for too long. */
  readonly signal: AbortSignal;
  /** Something came; the next may take so long. */
  heard(ms: number): void;
  stop(): void;
};

export function watchSilence(ms: number): SilenceWatch {
  const waiting = new AbortController();
  let timer: NodeJS.Timeout;
  const heard = (next: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => waiting.abort(new DOMException(`nothing came for ${next} ms`, 'TimeoutError')), next);
  };
  heard(ms);
  return { signal: waiting.signal, heard, stop: () => clearTimeout(timer) };
}

/** @throws DOMException `TimeoutError` when it takes longer. */
export async function unlessSilent<T>(coming: Promise<T>, ms: number): Promise<T> {
  const silent = Promise.withResolvers<never>();
  const timer = setTimeout(() => silent.reject(new DOMException(`nothing came for ${ms} ms`, 'TimeoutError')), ms);
  try {
    return await Promise.race([coming, silent.promise]);
  } finally {
    clearTimeout(timer);
  }
}
