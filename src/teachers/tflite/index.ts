import type { TeacherFormat } from '../../distill/teachers/format-registry.ts';

/** TFLite files, which LiteRT runs. */
export const tfliteTeachers: TeacherFormat = {
  name: 'tflite',
  inReports: 'tflite',
  packages: ['@litertjs/core'],
};
