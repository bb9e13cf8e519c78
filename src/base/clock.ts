/** Milliseconds from an arbitrary origin, monotonic: for durations. */
export function monotonicMs(): number {
  return performance.now();
}

/** The current moment as an ISO 8601 string in UTC: for records that people read, never for anything that trains. */
export function timestamp(): string {
  return new Date().toISOString();
}

/** Seconds since 1970: for files and services that date what they are told. */
export function epochSeconds(): number {
  return Date.now() / 1000;
}
