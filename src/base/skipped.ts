/** Something that was left out or left unchanged, with the reason. */
export interface Skipped {
  readonly what: string;
  readonly why: string;
}
