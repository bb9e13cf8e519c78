import { needPackages } from '../../base/process/packages.ts';
import type { TeacherFormat } from '../../distill/teachers/formats.ts';

/** TFLite files, which LiteRT runs. */
export const tfliteTeachers: TeacherFormat = {
  name: 'tflite',
  inReports: 'tflite',
  refuseMissing: (from) => needPackages('teacher.tflite', ['@litertjs/core'], from),
};
