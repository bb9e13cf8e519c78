import { Registry } from '../../base/registry.ts';

/** Keys of `teacher` that name a file of another format than ONNX. */
export const TEACHER_KEYS = ['tfjs', 'savedModel', 'tflite'] as const;
export type TeacherKey = (typeof TEACHER_KEYS)[number];

/** A format of teachers' files other than ONNX, by its key in recipes. */
export interface TeacherFormat {
  readonly name: TeacherKey;
  /** Name in reports. */
  readonly inReports: string;
  /** True if the layout of its inputs is not asked for. */
  readonly hasOwnLayout?: true;
  /** Packages that run it, which a user installs. */
  readonly packages?: readonly string[];
  /** `UserError` if what runs it is not installed; loads nothing. */
  readonly refuseMissing?: () => void;
}

export const teacherFormats = new Registry<TeacherFormat>('format of teachers');
