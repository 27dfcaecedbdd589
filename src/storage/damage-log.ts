/** Port: where all processes see what the check for damage has found, and agree who looks. */

/** What the last passes have found. */
export type DamageReport = {
  /** ISO 8601: when the last pass ended, or found something. */
  readonly checkedAt: string;
  /** Documents that are damaged now. */
  readonly damaged: number;
  /** Since the data directory was made. */
  readonly mended: number;
};

export interface DamageLog {
  read(): Promise<DamageReport | null>;
  /** Durable. Only by whoever leads. */
  write(report: DamageReport): Promise<void>;
  /** Null while another process looks. */
  lead(): Promise<{ release(): Promise<void> } | null>;
}
