import { UserError } from '../../../base/errors.ts';
import { asTeacherSees } from '../../../data/dataset.ts';
import type { FileSettings } from '../../../distill/teachers/open.ts';
import { sessionOptionsOf } from '../../../runtime/recipe-options.ts';
import { taskOf } from '../../../tasks/registry.ts';
import type { StageContext } from '../../context.ts';

/**
 * Asks a student from a file, which may know the classes already, whether it knows them by other numbers than it will be fed. `UserError` if so; a
 * warning if the recipe states its normalization.
 */
export async function checkStudentAnswers(
  context: Pick<StageContext, 'recipe' | 'data' | 'engine' | 'onEvent' | 'isChecked'>,
): Promise<void> {
  const { recipe, engine, onEvent, isChecked } = context;
  const { onnx, tfjs, head = 'keep', output } = recipe.student ?? {};
  const dataset = asTeacherSees(context.data.validation);
  const { classes, fields } = taskOf(dataset);
  const isAsked = (onnx ?? tfjs) !== undefined && head === 'keep' && classes !== undefined && fields.length === 1;
  const isPlain = dataset.text === undefined && dataset.inputs === undefined && dataset.labelled === undefined;
  if (isChecked === true || !isAsked || !isPlain) return;
  const { normalization: normalize } = dataset;
  const settings: FileSettings = { onnx, tfjs, output, normalize, layout: 'auto', outputs: 'auto', intermediate: [] };
  const options = { engine, session: sessionOptionsOf(recipe), dataset, name: (file: string) => file };
  const { openFile } = await import('../../../distill/teachers/open.ts');
  // What cannot be asked, such as a file of other classes, is refused where the student is built.
  const opened = await openFile(settings, options).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
  });
  if (opened === undefined) return;
  const { answersOtherwise } = await import('../../../distill/preflight/student.ts');
  try {
    const found = await answersOtherwise(opened, dataset);
    if (found === undefined) return;
    const confirm = 'If the numbers that it gets now are right, state them in dataset.normalize.';
    if (recipe.dataset.normalize === undefined)
      throw new UserError(found.fact, `${found.hint} ${confirm}`, { changes: found.changes });
    onEvent({ type: 'warning', message: `${found.fact}. ${found.hint}` });
  } finally {
    await opened.teacher.dispose();
  }
}
