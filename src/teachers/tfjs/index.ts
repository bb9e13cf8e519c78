import type { TeacherFormat } from '../../distill/teachers/format-registry.ts';

/** Layers models of TensorFlow.js, which the engine of the run computes. */
export const tfjsTeachers: TeacherFormat = { name: 'tfjs', inReports: 'tfjs', hasOwnLayout: true };
