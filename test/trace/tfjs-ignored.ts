/** A test of tfjs-core that our backend does not run: all tests of `file` whose full name contains `test`. */
export interface Ignored {
  readonly file: string;
  readonly test: string;
  readonly why: string;
}

export const ignored: readonly Ignored[] = [];
