/** Something that a stage left as it was, and why. */
export interface Skipped {
  readonly what: string;
  readonly why: string;
}
