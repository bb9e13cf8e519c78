/** Something that was left out, or left as it was, and why. */
export interface Skipped {
  readonly what: string;
  readonly why: string;
}
