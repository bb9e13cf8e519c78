/** Usability of an engine on this machine. */
export interface EngineStatus {
  readonly usable: boolean;
  /** Version, or the reason why it is unusable. */
  readonly reason: string;
  /** Remedy that makes it usable or faster. */
  readonly remedy?: string | undefined;
}
