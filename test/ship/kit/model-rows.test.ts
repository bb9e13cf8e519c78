import type { Report } from '../../../src/report/types.ts';
import { modelRows } from '../../../src/ship/kit/kit.ts';

const row = (role: string, file: string | null, precision = 'fp32') => ({ id: file ?? role, model: { role, repeat: 0 }, file, precision, format: 'onnx' }); // prettier-ignore
const rowsOf = (models: readonly object[], wanted?: string) =>
  modelRows({ models } as unknown as Report, wanted, 'runs/r').map(({ file }) => file);

const student = row('distilled', 'exports/distilled.onnx');

it('a folder for apps takes the student, and a teacher that the run trained if it is asked for', () => {
  const models = [row('teacher', 'teacher.onnx'), row('scratch', 'exports/scratch.onnx'), student];
  expect(rowsOf(models)).toEqual([student.file]);
  expect(rowsOf(models, 'teacher')).toEqual(['teacher.onnx']);
});

it('a teacher that came as a file is refused with what works, other names with those that there are', () => {
  const models = [row('teacher', null), student];
  expect(() => rowsOf(models, 'teacher')).toThrow(/^runs\/r: its teacher came as a file or a folder/);
  expect(() => rowsOf(models, 'pruned')).toThrow(/expected one of the models distilled, received "pruned"/);
});
