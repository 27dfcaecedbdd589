/** Port: where webhook deliveries are kept: those that wait, and those that ended, for a while. */
import type { Delivery, DeliveryState } from './delivery.ts';

export interface DeliveryLog {
  /** Durable when it returns; `exists`: it was added before, by whatever process, and nothing was done. */
  add(delivery: Delivery): Promise<'added' | 'exists'>;
  /** Writes the next state durably. */
  update(delivery: Delivery): Promise<void>;
  get(id: string): Promise<Delivery | null>;
  /** Ids of those that wait. */
  waiting(): Promise<readonly string[]>;
  /** Newest first. */
  list(options: { state?: DeliveryState; limit: number }): Promise<readonly Delivery[]>;
  /** Forgets what ended longer ago than `maxMs`, by the store's own clock. Returns how many went. */
  prune(maxMs: number): Promise<number>;
  /**
   * Tries to become the one process that sends; null: another one is. `lost` aborts when another process took over.
   * Two leaders for a moment are harmless: a message may then arrive twice, as at-least-once delivery allows.
   */
  lead(): Promise<{ readonly lost: AbortSignal; resign(): Promise<void> } | null>;
}
