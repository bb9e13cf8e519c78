/**
 * What the function of a student's module is given. `Tf`: type of tfjs, such as `typeof tfjs` in a project that checks
 * its own calls; the types of tfjs themselves need those of browsers.
 */
export interface StudentModuleArgs<Tf = unknown> {
  /** tfjs (core and layers): a model of another copy of tfjs could not be trained. */
  readonly tf: Tf;
  /** Shape of a sample without the batch. */
  readonly inputShape: readonly number[];
  readonly classes: number;
  /** Seed of the weights. */
  readonly seed: number;
  /** Number of token ids and id of padding, for samples that are texts. */
  readonly tokens?: { readonly vocabulary: number; readonly padding: number } | undefined;
  /** Pixels from an answer to the next one, in height and width, for answers per pixel. */
  readonly stride?: number | undefined;
  /** Parts of a sample for a model of several inputs: name, and shape of one sample. */
  readonly inputs?: readonly { readonly name: string; readonly shape: readonly number[] }[] | undefined;
  /** Outputs of the model: their names and shapes for one sample. */
  readonly fields: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

/** Default export of a student's module, `student: { module: student.mjs }`: a tfjs-layers model that gives logits, or an output for each field. */
export type StudentModule<Tf = unknown> = (args: StudentModuleArgs<Tf>) => object | Promise<object>;
