import type { InputPart } from '../data/dataset.ts';
import type { LayersModel, ModelArgs } from '../networks/models/registry.ts';
import type { tf } from '../networks/models/tf.ts';
import type { AnswerField } from '../tasks/fields.ts';

/** What the function of a student's module is given. */
export interface StudentModuleArgs extends ModelArgs {
  /** tfjs (core and layers): a model of another copy of tfjs could not be trained. */
  readonly tf: typeof tf;
  /** Parts of a sample for a model of several inputs. */
  readonly inputs?: readonly InputPart[] | undefined;
  /** Outputs of the model: their names and shapes for one sample. */
  readonly fields: readonly AnswerField[];
}

/** Default export of a student's module, `student: { module: student.mjs }`: a tfjs-layers model that gives logits, or an output for each field. */
export type StudentModule = (args: StudentModuleArgs) => LayersModel | Promise<LayersModel>;
