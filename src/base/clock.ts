/** Milliseconds from an arbitrary origin, monotonic: for durations. */
export function monotonicMs(): number {
  return performance.now();
}

/** The current moment as an ISO 8601 string in UTC: for records that people read, never for anything that trains. */
export function timestamp(): string {
  return new Date().toISOString();
}
