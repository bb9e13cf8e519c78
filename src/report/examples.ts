/** Samples that the student and the teacher answer differently, those of which both are surest first. */
export interface Examples {
  /** Id of the student. */
  readonly model: string;
  readonly split: 'test' | 'validation';
  /** Samples of the split that they answer differently; of numbers all of them. */
  readonly differ: number;
  readonly samples: number;
  readonly rows: readonly Example[];
}

interface Example {
  /** E.g. `test/1234`. */
  readonly sample: string;
  /** PNG in base64. */
  readonly picture?: string;
  /** Of a row of a table: its first columns. */
  readonly values?: readonly { readonly name: string; readonly value: number | string }[];
  /** Absent where nobody knows it. */
  readonly label?: string;
  readonly teacher: string;
  readonly student: string;
}
