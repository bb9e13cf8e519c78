import { orClose } from '../../base/closing.ts';
import { Slot } from '../../base/registry.ts';
import { answerForms } from '../../recipe/answer-forms.ts';
import type { DecoderSettings } from '../../recipe/decoders.ts';
import { taskRow } from '../../recipe/task.ts';
import { fileTeacher } from './file-teacher.ts';
import type { FileTeacherSettings, FileTeacherSource } from './file-teacher.ts';
import type { Teacher } from './teacher.ts';

/** A teacher from a loaded file whose outputs are read by a layout of their own, such as that of a detector. */
export type DecodedTeacher = (
  source: FileTeacherSource,
  settings: FileTeacherSettings,
  decoder: DecoderSettings,
) => Promise<Teacher>;

/** A teacher from a loaded file of a form of answer whose files have several layouts that shapes tell apart; it closes the file if that fails. */
export type TeacherByShapes = typeof fileTeacher;

const BY_SHAPES = new Slot<TeacherByShapes>(answerForms, 'teacherByShapes', 'layout of a teacher');
const DECODED = new Slot<DecodedTeacher>(answerForms, 'decodedTeacher', 'decoder of a teacher');

/** A loaded file as a teacher. `UserError` if settings or file do not fit the data set; the file is then closed. */
export async function teacherOfFile(source: FileTeacherSource, settings: FileTeacherSettings): Promise<Teacher> {
  const { decoder } = settings;
  const { form } = taskRow(source.dataset.task);
  if (decoder === undefined) return ((await BY_SHAPES.loadIfThere(form)) ?? fileTeacher)(source, settings);
  return orClose(
    async () => (await DECODED.load(form))(source, settings, decoder),
    () => source.runtime.dispose(),
  );
}
