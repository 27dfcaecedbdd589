/** How much of a day's quota each key has used, durably. */

/** What is counted. */
export const quotaKinds = ['requests', 'documents', 'bytes'] as const;
export type QuotaKind = (typeof quotaKinds)[number];
export type Amounts = Readonly<Record<QuotaKind, number>>;

export interface QuotaCounts {
  /**
   * Counts all of it when all of it is within the limits, else nothing: one step, also between processes. Some 50 µs. A power cut may
   * forget what was counted in the last moment, the end of a process does not.
   * @returns what there would be too much of; null when it was counted.
   */
  add(day: string, key: string, amounts: Amounts, limits: Amounts): QuotaKind | null;
  close(): void;
}
